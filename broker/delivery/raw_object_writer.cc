// Records one after another into blocks, and the blocks through the encoder into the sink.
#include "broker/delivery/raw_object_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/delivery/raw_encoder.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

struct Format {
  std::string_view name;
  std::string_view extension;
  std::string_view content_encoding;
};

// In the order of RawCompression.
constexpr std::array<Format, 5> kFormats = {{
    {"UNCOMPRESSED", "", ""},
    {"GZIP", ".gz", "gzip"},
    {"ZIP", ".zip", "zip"},
    {"Snappy", ".snappy", "snappy-java"},
    {"HADOOP_SNAPPY", ".snappy", "hadoop-snappy"},
}};
static_assert(kFormats.size() == static_cast<std::size_t>(RawCompression::kHadoopSnappy) + 1);

const Format& FormatOf(RawCompression compression) { return kFormats[static_cast<std::size_t>(compression)]; }

class RawObjectWriter : public ObjectWriter {
 public:
  RawObjectWriter(const RawOptions& options, ObjectSink& sink)
      : options_(options), encoder_(NewRawEncoder(options)), sink_(sink) {}

  Result<AppendOutcome> Append(std::span<const RecordRef> records) override;
  std::uint64_t bytes_buffered() const override { return block_.size(); }
  std::uint64_t bytes_written() const override { return written_; }
  Result<ObjectSummary> Finish(const ObjectMetadata& metadata) override;

 private:
  Status Add(std::string_view bytes);
  Status FlushBlock();
  Status WriteEncoded();

  const RawOptions options_;
  std::unique_ptr<RawEncoder> encoder_;
  ObjectSink& sink_;
  std::string block_;    // fewer than kRawBlockBytes
  std::string encoded_;  // empty between calls
  std::uint64_t records_ = 0;
  std::uint64_t user_records_ = 0;
  std::uint64_t written_ = 0;
  bool finished_ = false;
};

Result<AppendOutcome> RawObjectWriter::Append(std::span<const RecordRef> records) {
  SLUICE_CHECK(!finished_);
  for (const RecordRef& record : records) {
    if (user_records_ > 0) {
      if (Status status = Add(options_.delimiter); !status.ok()) return Error(std::move(status));
    }
    if (Status status = Add(record.value); !status.ok()) return Error(std::move(status));
    ++user_records_;
    if (record.counts()) ++records_;
  }
  AppendOutcome outcome;
  outcome.rows = records.size();
  return outcome;
}

Status RawObjectWriter::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, kRawBlockBytes - block_.size());
    block_ += piece;
    bytes.remove_prefix(piece.size());
    if (block_.size() < kRawBlockBytes) continue;
    if (Status status = FlushBlock(); !status.ok()) return status;
  }
  return {};
}

Status RawObjectWriter::FlushBlock() {
  if (Status status = encoder_->Encode(block_, encoded_); !status.ok()) return status;
  block_.clear();
  return WriteEncoded();
}

Status RawObjectWriter::WriteEncoded() {
  if (encoded_.empty()) return {};
  Status status = sink_.Write(encoded_);
  if (status.ok()) written_ += encoded_.size();
  encoded_.clear();
  return status;
}

Result<ObjectSummary> RawObjectWriter::Finish(const ObjectMetadata& metadata) {
  SLUICE_CHECK(!finished_);
  finished_ = true;
  ObjectSummary summary{.rows = user_records_, .records = records_, .user_records = user_records_};
  if (options_.delimiter_after_last && user_records_ > 0) {
    if (Status status = Add(options_.delimiter); !status.ok()) return Error(std::move(status));
  }
  if (!block_.empty()) {
    if (Status status = FlushBlock(); !status.ok()) return Error(std::move(status));
  }
  Status status = encoder_->Finish(MetadataToJson(metadata, summary), encoded_);
  if (status.ok()) status = WriteEncoded();
  if (!status.ok()) return Error(std::move(status));
  summary.bytes = written_;
  return summary;
}

}  // namespace

Result<RawCompression> ParseRawCompression(std::string_view name) {
  auto found = std::ranges::find(kFormats, name, &Format::name);
  if (found != kFormats.end()) return static_cast<RawCompression>(found - kFormats.begin());
  return Error(Code::kInvalidArgument,
               fmt::format("compression format '{}': expected UNCOMPRESSED, GZIP, ZIP, Snappy or HADOOP_SNAPPY", name));
}

std::string_view RawCompressionExtension(RawCompression compression) { return FormatOf(compression).extension; }

std::string_view RawCompressionContentEncoding(RawCompression compression) {
  return FormatOf(compression).content_encoding;
}

Result<std::unique_ptr<ObjectWriter>> NewRawObjectWriter(const RawOptions& options, ObjectSink& sink) {
  if (options.zip_entry_name.empty() || options.zip_entry_name.size() > 1024) {
    return Error(Code::kInvalidArgument, "the name of a ZIP entry has 1 to 1,024 bytes");
  }
  return std::make_unique<RawObjectWriter>(options, sink);
}

}  // namespace sluice::delivery
