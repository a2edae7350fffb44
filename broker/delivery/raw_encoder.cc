// One encoder for each of Firehose's object formats.
#include "broker/delivery/raw_encoder.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <snappy.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kXerialBlockBytes = 32u << 10;   // snappy-java's own
constexpr std::size_t kHadoopBlockBytes = 128u << 10;  // fits Hadoop's decompression buffer of 256 KiB
constexpr std::string_view kXerialHeader = "\x82SNAPPY\0\0\0\0\1\0\0\0\1"sv;
constexpr std::string_view kGzipExtraHeader = "\x1f\x8b\x08\x04\0\0\0\0\0\xff"sv;
constexpr std::string_view kGzipSubfield = "SL";
constexpr std::size_t kGzipMetadataMax = 30'000;  // DuckDB reads headers of less than 32 KiB
constexpr std::string_view kGzipEmptyBody = "\x03\0\0\0\0\0\0\0\0\0"sv;
constexpr std::string_view kZipEnd = "PK\5\6"sv;
constexpr std::size_t kZipEndBytes = 22;
constexpr std::size_t kZipCommentMax = 65'535;

void AppendLittle(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::size_t LittleTwo(std::string_view bytes, std::size_t at) {
  const auto low = static_cast<unsigned char>(bytes[at]);
  const auto high = static_cast<unsigned char>(bytes[at + 1]);
  return std::size_t{high} << 8 | low;
}

void AppendBig(std::string& out, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

class PlainEncoder : public RawEncoder {
 public:
  Status Encode(std::string_view block, std::string& out) override {
    out += block;
    return {};
  }
  Status Finish(std::string_view, std::string&) override { return {}; }
};

// ISA-L's deflate at level 1; the frame around it is the caller's.
class Deflater {
 public:
  explicit Deflater(std::uint16_t frame) : level_buffer_(ISAL_DEF_LVL1_DEFAULT), room_(kRawBlockBytes) {
    isal_deflate_init(&stream_);
    stream_.level = 1;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_.gzip_flag = frame;
  }

  void Run(std::string_view block, bool last, std::string& out) {
    stream_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(block.data()));
    stream_.avail_in = static_cast<std::uint32_t>(block.size());
    stream_.end_of_stream = last ? 1 : 0;
    do {
      stream_.next_out = room_.data();
      stream_.avail_out = static_cast<std::uint32_t>(room_.size());
      int result = isal_deflate(&stream_);
      SLUICE_CHECK(result == COMP_OK);  // it fails on bad parameters only
      out.append(reinterpret_cast<const char*>(room_.data()), room_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0 || stream_.avail_in > 0);
    SLUICE_CHECK(!last || stream_.internal_state.state == ZSTATE_END);
  }

 private:
  isal_zstream stream_{};
  std::vector<std::uint8_t> level_buffer_;
  std::vector<std::uint8_t> room_;
};

class GzipEncoder : public RawEncoder {
 public:
  Status Encode(std::string_view block, std::string& out) override {
    deflater_.Run(block, false, out);
    return {};
  }
  // The metadata is the extra field of an empty member of its own: a gzip file is a series of members. A comment would
  // do for all readers but DuckDB, which refuses files with one.
  Status Finish(std::string_view metadata, std::string& out) override {
    deflater_.Run({}, true, out);
    if (metadata.size() > kGzipMetadataMax) return {};
    out += kGzipExtraHeader;
    AppendLittle(out, kGzipSubfield.size() + 2 + metadata.size(), 2);
    out += kGzipSubfield;
    AppendLittle(out, metadata.size(), 2);
    out += metadata;
    out += kGzipEmptyBody;
    return {};
  }

 private:
  Deflater deflater_{IGZIP_GZIP};
};

// One entry whose sizes follow its data; times are zip's first day, so that they are the same each time.
class ZipEncoder : public RawEncoder {
 public:
  explicit ZipEncoder(std::string name) : name_(std::move(name)) {}

  Status Encode(std::string_view block, std::string& out) override {
    std::size_t before = out.size();
    if (bytes_out_ == 0) AppendLocalHeader(out);
    Deflate(block, false, out);
    bytes_out_ += out.size() - before;
    if (bytes_out_ > kBytesMax || bytes_in_ > kBytesMax) {
      return Status(Code::kInvalidArgument,
                    "a ZIP object of more than 4 GiB is not possible; use GZIP or a smaller buffer");
    }
    return {};
  }

  Status Finish(std::string_view metadata, std::string& out) override {
    if (bytes_out_ == 0) {
      AppendLocalHeader(out);
      bytes_out_ = out.size();
    }
    std::size_t before = out.size();
    Deflate({}, true, out);
    std::uint64_t data_bytes = bytes_out_ + out.size() - before - header_bytes_;
    out += "PK\7\10"sv;
    AppendSizes(data_bytes, out);
    std::uint64_t directory = bytes_out_ + out.size() - before;
    std::size_t directory_start = out.size();
    AppendDirectory(data_bytes, out);
    std::size_t directory_bytes = out.size() - directory_start;
    if (metadata.size() > kZipCommentMax) metadata = {};
    out += kZipEnd;
    out += "\0\0\0\0\1\0\1\0"sv;
    AppendLittle(out, directory_bytes, 4);
    AppendLittle(out, directory, 4);
    AppendLittle(out, metadata.size(), 2);
    out += metadata;
    return {};
  }

 private:
  static constexpr std::uint64_t kBytesMax = std::numeric_limits<std::uint32_t>::max() - (1u << 20);
  // Version 2.0, sizes behind the data and names in UTF-8, deflate, 1980-01-01 00:00.
  static constexpr std::string_view kEntryFields = "\x14\0\x08\x08\x08\0\0\0\x21\0"sv;

  void AppendLocalHeader(std::string& out) {
    std::size_t before = out.size();
    out += "PK\3\4"sv;
    out += kEntryFields;
    out.append(12, '\0');
    AppendLittle(out, name_.size(), 2);
    AppendLittle(out, 0, 2);
    out += name_;
    header_bytes_ = out.size() - before;
  }
  void AppendDirectory(std::uint64_t data_bytes, std::string& out) {
    out += "PK\1\2\x14\0"sv;
    out += kEntryFields;
    AppendSizes(data_bytes, out);
    AppendLittle(out, name_.size(), 2);
    out.append(16, '\0');
    out += name_;
  }
  void AppendSizes(std::uint64_t data_bytes, std::string& out) {
    AppendLittle(out, crc_, 4);
    AppendLittle(out, data_bytes, 4);
    AppendLittle(out, bytes_in_, 4);
  }
  void Deflate(std::string_view block, bool last, std::string& out) {
    crc_ = crc32_gzip_refl(crc_, reinterpret_cast<const unsigned char*>(block.data()), block.size());
    bytes_in_ += block.size();
    deflater_.Run(block, last, out);
  }

  Deflater deflater_{IGZIP_DEFLATE};
  std::string name_;
  std::uint32_t crc_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t header_bytes_ = 0;
};

class SnappyEncoder : public RawEncoder {
 public:
  explicit SnappyEncoder(bool hadoop) : hadoop_(hadoop), block_bytes_(hadoop ? kHadoopBlockBytes : kXerialBlockBytes) {}

  Status Encode(std::string_view block, std::string& out) override {
    StartOnce(out);
    for (; !block.empty(); block.remove_prefix(std::min(block.size(), block_bytes_))) {
      std::string_view piece = block.substr(0, block_bytes_);
      room_.resize(snappy::MaxCompressedLength(piece.size()));
      std::size_t compressed = 0;
      snappy::RawCompress(piece.data(), piece.size(), room_.data(), &compressed);
      if (hadoop_) AppendBig(out, piece.size());
      AppendBig(out, compressed);
      out.append(room_.data(), compressed);
    }
    return {};
  }
  Status Finish(std::string_view, std::string& out) override {
    StartOnce(out);
    return {};
  }

 private:
  void StartOnce(std::string& out) {
    if (!hadoop_ && !started_) out += kXerialHeader;
    started_ = true;
  }

  const bool hadoop_;
  const std::size_t block_bytes_;
  bool started_ = false;
  std::vector<char> room_;
};

}  // namespace

std::unique_ptr<RawEncoder> NewRawEncoder(const RawOptions& options) {
  switch (options.compression) {
    case RawCompression::kUncompressed:
      return std::make_unique<PlainEncoder>();
    case RawCompression::kGzip:
      return std::make_unique<GzipEncoder>();
    case RawCompression::kZip:
      return std::make_unique<ZipEncoder>(options.zip_entry_name);
    case RawCompression::kSnappy:
      return std::make_unique<SnappyEncoder>(false);
    case RawCompression::kHadoopSnappy:
      return std::make_unique<SnappyEncoder>(true);
  }
  SLUICE_CHECK(false);
}

std::string_view GzipMetadata(std::string_view tail) {
  if (!tail.ends_with(kGzipEmptyBody)) return {};
  tail.remove_suffix(kGzipEmptyBody.size());
  const std::size_t header = tail.rfind(kGzipExtraHeader);
  const std::size_t subfield = header + kGzipExtraHeader.size() + 2;
  constexpr std::size_t kSubfieldHeader = kGzipSubfield.size() + 2;
  if (header == tail.npos || tail.size() < subfield + kSubfieldHeader) return {};
  if (tail.substr(subfield, kGzipSubfield.size()) != kGzipSubfield) return {};
  const std::string_view metadata = tail.substr(subfield + kSubfieldHeader);
  return metadata.size() == LittleTwo(tail, subfield + kGzipSubfield.size()) ? metadata : std::string_view();
}

std::string_view ZipMetadata(std::string_view tail) {
  std::size_t end = tail.rfind(kZipEnd);
  if (end == std::string_view::npos || tail.size() - end < kZipEndBytes) return {};
  std::string_view comment = tail.substr(end + kZipEndBytes);
  return comment.size() == LittleTwo(tail, end + kZipEndBytes - 2) ? comment : std::string_view();
}

}  // namespace sluice::delivery
