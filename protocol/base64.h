// Base64 (RFC 4648 section 4, with padding); some ten GB/s where the processor has AVX2. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::protocol {

std::string EncodeBase64(std::string_view bytes);
void AppendBase64(std::string& out, std::string_view bytes);

/// Canonical, padded base64: what EncodeBase64 gives.
bool IsBase64(std::string_view text);
/// kInvalidArgument for anything else.
Result<std::string> DecodeBase64(std::string_view text);

/// How many bytes such a text stands for.
std::size_t Base64DecodedBytes(std::string_view text);
/// Decodes it to where the bytes will stand.
void DecodeBase64To(std::string_view text, char* to);

}  // namespace sluice::protocol
