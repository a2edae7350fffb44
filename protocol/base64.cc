// Base64 by OpenSSL's block functions, with the strictness that they lack.
#include "protocol/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>

#include "protocol/check.h"

namespace sluice::protocol {

namespace {

std::size_t PaddingOf(std::string_view text) { return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0; }

}  // namespace

void AppendBase64(std::string& out, std::string_view bytes) {
  const std::size_t at = out.size();
  out.resize(at + (bytes.size() + 2) / 3 * 4 + 1);  // OpenSSL writes a final zero
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + at),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  SLUICE_CHECK(length >= 0 && at + static_cast<std::size_t>(length) + 1 == out.size());
  out.pop_back();
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  AppendBase64(text, bytes);
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  const auto invalid = [] {
    return Error(Code::kInvalidArgument, "not base64: want groups of four of A-Z a-z 0-9 + / with = at the end");
  };
  const std::size_t padding = PaddingOf(text);
  const std::string_view digits = text.substr(0, text.size() - padding);
  const auto is_digit = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/'; };
  if (text.size() % 4 != 0 || !std::ranges::all_of(digits, is_digit)) return invalid();
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return invalid();
  SLUICE_CHECK(static_cast<std::size_t>(length) == bytes.size());
  bytes.resize(bytes.size() - padding);
  if (EncodeBase64(bytes) != text) return invalid();  // stray bits behind the last byte
  return bytes;
}

std::size_t Base64DecodedBytes(std::string_view text) { return text.size() / 4 * 3 - PaddingOf(text); }

void DecodeBase64To(std::string_view text, char* to) {
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(to), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  SLUICE_CHECK(length >= 0 && static_cast<std::size_t>(length) == text.size() / 4 * 3);
}

}  // namespace sluice::protocol
