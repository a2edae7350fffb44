// Base64 (RFC 4648 section 4, with padding) over OpenSSL. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol {

std::string EncodeBase64(std::string_view bytes);
void AppendBase64(std::string& out, std::string_view bytes);
/// kInvalidArgument for anything but canonical, padded base64.
Result<std::string> DecodeBase64(std::string_view text);

/// How many bytes canonical, padded base64 stands for.
std::size_t Base64DecodedBytes(std::string_view text);
/// Decodes text that DecodeBase64 takes to where it will stand. There is room for kBase64Slack bytes more than it
/// stands for, which hold nothing afterwards.
void DecodeBase64To(std::string_view text, char* to);
inline constexpr std::size_t kBase64Slack = 2;

}  // namespace sluice::protocol
