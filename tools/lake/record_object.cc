// Finds the compression by its magic bytes, undoes it, and splits the records.
#include "tools/lake/record_object.h"

#include <fmt/format.h>
#include <snappy.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "broker/delivery/json_scan.h"
#include "broker/delivery/raw_encoder.h"
#include "broker/delivery/schema.h"

namespace sluice::tools {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGzipMagic = "\x1f\x8b"sv;
constexpr std::string_view kZipMagic = "PK\3\4"sv;
constexpr std::string_view kXerialMagic = "\x82SNAPPY\0"sv;
constexpr std::size_t kXerialHeaderBytes = 16;
constexpr std::size_t kZipHeaderBytes = 30;
constexpr int kRawWindow = -15;
constexpr int kGzipWindow = 15 + 16;

std::unexpected<Status> Corrupt(std::string_view what) {
  return Error(Code::kCorruption, fmt::format("the {} data is damaged or cut off", what));
}

// One deflate stream (a gzip member, or raw); `input` moves behind it.
Status Inflate(std::string_view& input, int window, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return Status(Code::kResourceExhausted, "no memory to decompress");
  std::array<char, 64 << 10> room;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), kObjectBytesMax));
  int result = Z_OK;
  while (result == Z_OK && out.size() <= kObjectBytesMax) {
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = room.size();
    result = inflate(&stream, Z_NO_FLUSH);
    out.append(room.data(), room.size() - stream.avail_out);
  }
  input.remove_prefix(input.size() - stream.avail_in);
  inflateEnd(&stream);
  if (result == Z_STREAM_END) return {};
  return Status(Code::kCorruption, "the deflate data is damaged, cut off or larger than 1 GiB");
}

Status DecodeGzip(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (Status status = Inflate(bytes, kGzipWindow, out); !status.ok()) return status;
  }
  return {};
}

Status DecodeZip(std::string_view bytes, std::string& out) {
  auto two = [&](std::size_t at) {
    return std::size_t{static_cast<unsigned char>(bytes[at])} | std::size_t{static_cast<unsigned char>(bytes[at + 1])}
                                                                    << 8;
  };
  if (bytes.size() < kZipHeaderBytes) return Status(Code::kCorruption, "the zip header is cut off");
  constexpr std::size_t kDeflate = 8;
  std::size_t start = kZipHeaderBytes + two(26) + two(28);
  if (two(8) != kDeflate || start > bytes.size()) return Status(Code::kCorruption, "not a zip file that Sluice writes");
  bytes.remove_prefix(start);
  return Inflate(bytes, kRawWindow, out);
}

Result<std::size_t> TakeLength(std::string_view& bytes) {
  if (bytes.size() < 4) return Corrupt("Snappy");
  std::size_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  bytes.remove_prefix(4);
  return length;
}

Result<std::size_t> TakeSnappyChunk(std::string_view& bytes, std::string& out) {
  Result<std::size_t> length = TakeLength(bytes);
  if (!length || *length > bytes.size()) return Corrupt("Snappy");
  std::string chunk;
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(bytes.data(), *length, &size) || out.size() + size > kObjectBytesMax ||
      !snappy::Uncompress(bytes.data(), *length, &chunk)) {
    return Corrupt("Snappy");
  }
  out += chunk;
  bytes.remove_prefix(*length);
  return chunk.size();
}

Status DecodeSnappy(std::string_view bytes, bool hadoop, std::string& out) {
  if (!hadoop) bytes.remove_prefix(std::min(bytes.size(), kXerialHeaderBytes));
  while (!bytes.empty()) {
    Result<std::size_t> block = hadoop ? TakeLength(bytes) : Result<std::size_t>(0);
    if (!block) return block.error();
    std::size_t left = *block;
    do {
      Result<std::size_t> taken = TakeSnappyChunk(bytes, out);
      if (!taken) return taken.error();
      left = *taken < left ? left - *taken : 0;
    } while (left > 0);
  }
  return {};
}

}  // namespace

Result<RecordObject> DecodeRecordObject(std::string_view bytes, std::string_view name) {
  RecordObject object;
  Status status;
  if (bytes.starts_with(kGzipMagic)) {
    object.format = "records.gz";
    object.metadata = delivery::GzipMetadata(bytes);
    status = DecodeGzip(bytes, object.text);
  } else if (bytes.starts_with(kZipMagic)) {
    object.format = "records.zip";
    object.metadata = delivery::ZipMetadata(bytes);
    status = DecodeZip(bytes, object.text);
  } else if (bytes.starts_with(kXerialMagic)) {
    object.format = "records.snappy";
    status = DecodeSnappy(bytes, false, object.text);
  } else if (name.ends_with(".snappy") || name.ends_with(".hsnappy")) {
    object.format = "records.snappy";
    status = DecodeSnappy(bytes, true, object.text);
  } else {
    object.format = "records";
    object.text = bytes;
  }
  if (!status.ok()) return Error(std::move(status));
  return object;
}

std::string_view TakeRecord(std::string_view& text) {
  while (!text.empty() && (text.front() == '\n' || text.front() == '\r' || text.front() == ' ')) text.remove_prefix(1);
  std::string_view record;
  if (text.starts_with('{')) record = delivery::SkipJsonValue(text, delivery::kDepthMax);
  if (record.empty()) {
    record = text.substr(0, text.find('\n'));
    if (record.ends_with('\r')) record.remove_suffix(1);
  }
  text.remove_prefix(record.size());
  return record;
}

}  // namespace sluice::tools
