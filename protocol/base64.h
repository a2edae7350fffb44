// Base64 (RFC 4648 section 4, with padding) over OpenSSL. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol {

std::string EncodeBase64(std::string_view bytes);
void AppendBase64(std::string& out, std::string_view bytes);
/// kInvalidArgument for anything but canonical, padded base64.
Result<std::string> DecodeBase64(std::string_view text);

}  // namespace sluice::protocol
