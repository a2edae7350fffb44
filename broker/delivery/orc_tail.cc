// Just enough of protocol buffers: field numbers are those of ORC's specification (v1, "File Tail").
#include "broker/delivery/orc_tail.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kVarint = 0;  // wire types
constexpr std::uint64_t kBytes = 2;
constexpr std::uint64_t kFooterLengthField = 1;  // of the postscript
constexpr std::uint64_t kCompressionField = 2;
constexpr std::uint64_t kBlockBytesField = 3;
constexpr std::uint64_t kUserMetadataField = 5;  // of the footer
constexpr std::uint64_t kNameField = 1;          // of a user metadata item
constexpr std::uint64_t kValueField = 2;
constexpr std::size_t kPostscriptBytesMax = 255;
constexpr std::uint64_t kChunkBytesMax = (1u << 23) - 1;

void AppendVarint(std::uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void AppendBytesField(std::uint64_t field, std::string_view bytes, std::string& out) {
  AppendVarint(field << 3 | kBytes, out);
  AppendVarint(bytes.size(), out);
  out += bytes;
}

std::optional<std::uint64_t> TakeVarint(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

struct Postscript {
  std::optional<std::uint64_t> footer_bytes;
  bool compressed = false;
  std::uint64_t block_bytes = 256u << 10;
  std::string others;  // the fields other than the footer's length, as they are
};

std::optional<Postscript> ReadPostscript(std::string_view bytes) {
  Postscript postscript;
  while (!bytes.empty()) {
    const std::string_view before = bytes;
    const std::optional<std::uint64_t> tag = TakeVarint(bytes);
    const std::optional<std::uint64_t> number = tag ? TakeVarint(bytes) : std::nullopt;
    if (!number) return std::nullopt;
    if ((*tag & 7) == kBytes) {
      if (*number > bytes.size()) return std::nullopt;
      bytes.remove_prefix(*number);
    } else if ((*tag & 7) != kVarint) {
      return std::nullopt;
    }
    const std::uint64_t field = *tag >> 3;
    if (field == kCompressionField) postscript.compressed = *number != 0;
    if (field == kBlockBytesField) postscript.block_bytes = *number;
    if (field == kFooterLengthField) {
      postscript.footer_bytes = *number;
    } else {
      postscript.others += before.substr(0, before.size() - bytes.size());
    }
  }
  return postscript.footer_bytes ? std::optional(std::move(postscript)) : std::nullopt;
}

/// `bytes` as they stand behind a footer. No chunk is longer than a block: readers have no more room.
std::string Chunked(std::string bytes, const Postscript& postscript) {
  if (!postscript.compressed) return bytes;
  const std::uint64_t chunk_max = std::clamp<std::uint64_t>(postscript.block_bytes, 1, kChunkBytesMax);
  std::string chunks;
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::string_view chunk = rest.substr(0, chunk_max);
    const std::size_t header = chunk.size() << 1 | 1;
    for (const int shift : {0, 8, 16}) chunks += static_cast<char>(header >> shift & 0xff);
    chunks += chunk;
    rest.remove_prefix(chunk.size());
  }
  return chunks;
}

}  // namespace

Status AddOrcUserMetadata(std::string& tail, std::string_view name, std::string_view value) {
  const std::size_t length = tail.empty() ? 0 : static_cast<unsigned char>(tail.back());
  std::optional<Postscript> postscript;
  if (length > 0 && length < tail.size()) {
    postscript = ReadPostscript(std::string_view(tail).substr(tail.size() - 1 - length, length));
  }
  if (!postscript) return Status(Code::kCorruption, "the ORC file has no postscript");
  std::string item;
  AppendBytesField(kNameField, name, item);
  AppendBytesField(kValueField, value, item);
  std::string field;
  AppendBytesField(kUserMetadataField, item, field);
  std::string end = Chunked(std::move(field), *postscript);
  const std::size_t added = end.size();
  AppendVarint(kFooterLengthField << 3 | kVarint, end);
  AppendVarint(*postscript->footer_bytes + added, end);
  end += postscript->others;
  const std::size_t new_length = end.size() - added;
  if (new_length > kPostscriptBytesMax) return Status(Code::kCorruption, "the ORC file's postscript is too long");
  end += static_cast<char>(new_length);
  tail.replace(tail.size() - 1 - length, std::string::npos, end);
  return Status();
}

}  // namespace sluice::delivery
