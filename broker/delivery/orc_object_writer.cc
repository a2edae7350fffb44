// The ORC file over Arrow's writer.
#include "broker/delivery/orc_object_writer.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "broker/delivery/orc_tail.h"
#include "broker/delivery/plain_columns.h"
#include "broker/delivery/sink_stream.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

namespace orc = arrow::adapters::orc;

constexpr std::uint64_t kStripeBytesMin = 64u << 10;
constexpr std::uint64_t kBytesMax = 2ull << 30;
constexpr std::uint64_t kStrideMin = 1000;
constexpr std::uint64_t kStrideMax = 1u << 30;
constexpr double kFppMin = 0.0001;  // smaller filters' sizes have no bound
constexpr double kFppMax = 0.9999;

arrow::Compression::type ToArrow(OrcCompression compression) {
  switch (compression) {
    case OrcCompression::kNone:
      return arrow::Compression::UNCOMPRESSED;
    case OrcCompression::kZlib:
      return arrow::Compression::GZIP;
    case OrcCompression::kSnappy:
      return arrow::Compression::SNAPPY;
    case OrcCompression::kZstd:
      return arrow::Compression::ZSTD;
  }
  SLUICE_CHECK(false);
}

/// The type without time zones: a timestamp with one would become a "timestamp with local time zone", which is another
/// type than Hive's timestamp.
std::shared_ptr<arrow::DataType> WithoutZones(const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::TIMESTAMP:
      return arrow::timestamp(static_cast<const arrow::TimestampType&>(*type).unit());
    case arrow::Type::LIST:
      return arrow::list(type->field(0)->WithType(WithoutZones(type->field(0)->type())));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return arrow::map(WithoutZones(map.key_type()), WithoutZones(map.item_type()));
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(field->WithType(WithoutZones(field->type())));
      return arrow::struct_(std::move(fields));
    }
    default:
      return type;
  }
}

/// The same values as another type of the same layout.
std::shared_ptr<arrow::ArrayData> Retyped(const arrow::ArrayData& data, const std::shared_ptr<arrow::DataType>& type) {
  auto retyped = std::make_shared<arrow::ArrayData>(data);
  retyped->type = type;
  for (std::size_t i = 0; i < retyped->child_data.size(); ++i) {
    retyped->child_data[i] = Retyped(*retyped->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return retyped;
}

/// Passes bytes on, and from Hold on keeps them. An error is told by status() only: ORC's library loses memory where a
/// write fails under it.
class TailStream : public arrow::io::OutputStream {
 public:
  explicit TailStream(std::shared_ptr<arrow::io::OutputStream> stream) : stream_(std::move(stream)) {
    set_mode(arrow::io::FileMode::WRITE);
  }

  const arrow::Status& status() const { return status_; }
  void Hold() { held_.emplace(); }
  std::string& held() { return *held_; }

  arrow::Status Write(const void* data, std::int64_t bytes) override {
    bytes_ += bytes;
    if (held_) {
      held_->append(static_cast<const char*>(data), static_cast<std::size_t>(bytes));
    } else if (status_.ok()) {
      status_ = stream_->Write(data, bytes);
    }
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<std::int64_t> Tell() const override { return bytes_; }

 private:
  std::shared_ptr<arrow::io::OutputStream> stream_;
  arrow::Status status_;
  std::optional<std::string> held_;
  std::int64_t bytes_ = 0;
};

class OrcFile : public ColumnarFile {
 public:
  OrcFile(orc::WriteOptions options, std::shared_ptr<arrow::io::OutputStream> stream)
      : options_(std::move(options)), stream_(std::move(stream)), tail_(stream_) {}

  // Stripes are cut by their encoded size, as Arrow's writer finds them full.
  arrow::Status BeginGroup(const arrow::RecordBatch& rows, std::uint64_t) override {
    if (writer_ != nullptr) return arrow::Status::OK();
    arrow::FieldVector fields;
    for (const auto& field : rows.schema()->fields()) fields.push_back(field->WithType(WithoutZones(field->type())));
    schema_ = arrow::schema(std::move(fields));
    ARROW_ASSIGN_OR_RAISE(writer_, orc::ORCFileWriter::Open(&tail_, options_));
    return arrow::Status::OK();
  }

  arrow::Status Append(const arrow::RecordBatch& rows) override {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int i = 0; i < rows.num_columns(); ++i) {
      columns.push_back(Retyped(*rows.column_data(i), schema_->field(i)->type()));
    }
    ARROW_RETURN_NOT_OK(writer_->Write(*arrow::RecordBatch::Make(schema_, rows.num_rows(), std::move(columns))));
    return tail_.status();
  }

  arrow::Status Close(const std::string& metadata) override {
    tail_.Hold();
    ARROW_RETURN_NOT_OK(writer_->Close());
    const Status status = AddOrcUserMetadata(tail_.held(), kFooterKey, metadata);
    if (!status.ok()) return arrow::Status::Invalid(status.message());
    return stream_->Write(tail_.held().data(), static_cast<std::int64_t>(tail_.held().size()));
  }

 private:
  const orc::WriteOptions options_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  TailStream tail_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<orc::ORCFileWriter> writer_;  // null before the first group
};

orc::WriteOptions ToArrow(const OrcOptions& options, std::span<const PlainColumn> bloom_filters) {
  orc::WriteOptions write;
  write.file_version = orc::FileVersion(0, options.version_0_11 ? 11 : 12);
  write.stripe_size = static_cast<std::int64_t>(options.stripe_bytes);
  write.compression = ToArrow(options.compression);
  write.row_index_stride = static_cast<std::int64_t>(options.row_index_stride);
  write.dictionary_key_size_threshold = options.dictionary_threshold;
  for (const PlainColumn& column : bloom_filters) write.bloom_filter_columns.push_back(column.node);
  write.bloom_filter_fpp = std::clamp(options.bloom_filter_fpp, kFppMin, kFppMax);
  return write;
}

Status CheckOptions(const OrcOptions& options) {
  if (options.stripe_bytes < kStripeBytesMin || options.stripe_bytes > kBytesMax) {
    return Status(Code::kInvalidArgument, fmt::format("stripes of {} bytes; from {} to {} are possible",
                                                      options.stripe_bytes, kStripeBytesMin, kBytesMax));
  }
  if (options.row_index_stride < kStrideMin || options.row_index_stride > kStrideMax) {
    return Status(Code::kInvalidArgument, fmt::format("a row index stride of {}; {} to {} rows are possible",
                                                      options.row_index_stride, kStrideMin, kStrideMax));
  }
  if (!(options.dictionary_threshold >= 0 && options.dictionary_threshold <= 1)) {
    return Status(Code::kInvalidArgument,
                  fmt::format("a dictionary threshold of {}; 0 to 1 are possible", options.dictionary_threshold));
  }
  return {};
}

}  // namespace

Result<OrcCompression> ParseOrcCompression(std::string_view name) {
  if (name == "NONE") return OrcCompression::kNone;
  if (name == "ZLIB") return OrcCompression::kZlib;
  if (name == "SNAPPY") return OrcCompression::kSnappy;
  if (name == "ZSTD") return OrcCompression::kZstd;
  return Error(Code::kInvalidArgument, fmt::format("ORC compression '{}': expected NONE, ZLIB, SNAPPY or ZSTD", name));
}

Result<std::unique_ptr<ObjectWriter>> NewOrcObjectWriter(const OrcOptions& options, const Schema& schema,
                                                         const ConverterOptions& converter, ObjectSink& sink) {
  if (Status status = CheckOptions(options); !status.ok()) return Error(std::move(status));
  ConverterOptions rules = converter;
  rules.fractions_before_1970 = false;
  Result<std::unique_ptr<RowConverter>> rows = RowConverter::New(schema, rules);
  if (!rows) return Error(rows.error());
  const bool any_case = converter.case_insensitive;
  const std::vector<PlainColumn> blooms =
      FindBloomFilterColumns(schema.columns, options.bloom_filter_columns, any_case);
  const SinkStream stream(sink);
  return NewColumnarObjectWriter({"ORC", options.block_bytes, FindSortColumns(schema, options.sort_by, any_case)},
                                 *std::move(rows), stream,
                                 std::make_unique<OrcFile>(ToArrow(options, blooms), stream.stream()));
}

}  // namespace sluice::delivery
