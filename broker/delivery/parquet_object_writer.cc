// ParquetObjectWriter over Arrow's Parquet writer.
#include "broker/delivery/parquet_object_writer.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include "broker/delivery/dictionary_choice.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

// A batch of rows goes to the encoders when it is this large: small enough for the caches, large enough for the
// per-batch cost.
constexpr std::uint64_t kBatchBytes = 1u << 20;
constexpr std::uint64_t kBatchRows = 16'384;
constexpr std::uint64_t kRowGroupBytesMin = 64u << 10;
constexpr std::uint64_t kPageBytesMin = 8u << 10;
constexpr std::uint64_t kBytesMax = 2ull << 30;
constexpr std::uint64_t kSortedBytesMax = 512ull
                                          << 20;  // of a row group that is sorted: its columns have 32-bit offsets
constexpr std::uint64_t kLookRows = 1024;

Status FromArrow(const arrow::Status& status, std::string_view what) {
  if (status.ok()) return {};
  return Status(Code::kInternal, fmt::format("{}: {}", what, status.ToString()));
}

// An ObjectSink as Arrow sees one. The sink's own error is kept, since Arrow's status has no room for it.
class SinkStream : public arrow::io::OutputStream {
 public:
  explicit SinkStream(ObjectSink& sink) : sink_(sink) { set_mode(arrow::io::FileMode::WRITE); }

  arrow::Status Write(const void* data, std::int64_t bytes) override {
    if (!error_.ok()) return arrow::Status::IOError(error_.message());
    error_ = sink_.Write(std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(bytes)));
    if (!error_.ok()) return arrow::Status::IOError(error_.message());
    written_ += bytes;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return written_; }

  const Status& error() const { return error_; }
  std::uint64_t written() const { return static_cast<std::uint64_t>(written_); }

 private:
  ObjectSink& sink_;
  Status error_;
  std::int64_t written_ = 0;
  bool closed_ = false;
};

parquet::Compression::type ToParquet(ParquetCompression compression) {
  switch (compression) {
    case ParquetCompression::kUncompressed:
      return parquet::Compression::UNCOMPRESSED;
    case ParquetCompression::kSnappy:
      return parquet::Compression::SNAPPY;
    case ParquetCompression::kGzip:
      return parquet::Compression::GZIP;
    case ParquetCompression::kZstd:
      return parquet::Compression::ZSTD;
  }
  SLUICE_CHECK(false);
}

class ParquetObjectWriter : public ObjectWriter {
 public:
  ParquetObjectWriter(const ParquetOptions& options, std::vector<SortColumn> sort_columns,
                      std::unique_ptr<RowConverter> converter, ObjectSink& sink)
      : options_(options),
        sort_columns_(std::move(sort_columns)),
        converter_(std::move(converter)),
        stream_(std::make_shared<SinkStream>(sink)) {}

  Result<AppendOutcome> Append(std::span<const RecordRef> records) override;
  std::uint64_t bytes_buffered() const override { return converter_->bytes() + row_group_bytes_; }
  std::uint64_t bytes_written() const override { return stream_->written(); }
  Result<ObjectSummary> Finish(const ObjectMetadata& metadata) override;

 private:
  bool BatchIsFull();
  bool RowGroupIsFull();
  Status FlushBatch();
  arrow::Status WriteBatch(const arrow::RecordBatch& batch, std::uint64_t bytes);
  arrow::Status WriteSorted(const arrow::RecordBatch& batch, std::uint64_t bytes);
  // The file is opened with its first rows: they decide which columns have a dictionary.
  arrow::Status OpenFile(const arrow::RecordBatch& first_rows);
  arrow::Result<std::shared_ptr<parquet::WriterProperties>> Properties(const arrow::RecordBatch& first_rows) const;
  // Runs a call into Arrow; what it throws or returns becomes one Status, the sink's own first.
  template <typename Call>
  Status Guard(std::string_view what, Call call);

  const ParquetOptions options_;
  const std::vector<SortColumn> sort_columns_;  // none: rows stay as they come
  std::unique_ptr<RowConverter> converter_;
  std::shared_ptr<SinkStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;  // null before the first rows and after Finish
  bool finished_ = false;
  std::uint64_t row_group_bytes_ = 0;  // of records encoded into the open row group; their pages take no more
  std::uint64_t look_at_bytes_ = 0;    // of the batch: when its memory is looked at next
  std::uint64_t look_at_rows_ = 0;
  ObjectSummary summary_;
};

template <typename Call>
Status ParquetObjectWriter::Guard(std::string_view what, Call call) {
  Status status;
  try {
    status = FromArrow(call(), what);
  } catch (const std::exception& e) {  // Parquet's inner layers throw
    status = Status(Code::kInternal, fmt::format("{}: {}", what, e.what()));
  }
  return stream_->error().ok() ? status : stream_->error().WithContext(what);
}

arrow::Result<std::shared_ptr<parquet::WriterProperties>> ParquetObjectWriter::Properties(
    const arrow::RecordBatch& first_rows) const {
  parquet::WriterProperties::Builder properties;
  properties.compression(ToParquet(options_.compression));
  if (options_.compression == ParquetCompression::kZstd) properties.compression_level(options_.zstd_level);
  properties.data_pagesize(static_cast<std::int64_t>(options_.page_bytes));
  properties.max_row_group_length(std::numeric_limits<std::int64_t>::max());
  properties.data_page_version(options_.writer_version_2 ? parquet::ParquetDataPageVersion::V2
                                                         : parquet::ParquetDataPageVersion::V1);
  std::vector<parquet::SortingColumn> sorting;
  for (const SortColumn& key : sort_columns_) sorting.push_back({key.leaf, key.descending, !key.descending});
  properties.set_sorting_columns(std::move(sorting));
  std::shared_ptr<parquet::SchemaDescriptor> leaves;
  ARROW_RETURN_NOT_OK(
      parquet::arrow::ToParquetSchema(first_rows.schema().get(), *parquet::default_writer_properties(), &leaves));
  std::vector<bool> dictionaries = ChooseDictionaries(first_rows);
  SLUICE_CHECK(static_cast<std::size_t>(leaves->num_columns()) == dictionaries.size());
  for (int i = 0; i < leaves->num_columns(); ++i) {
    if (!options_.dictionary || !dictionaries[static_cast<std::size_t>(i)]) {
      properties.disable_dictionary(leaves->Column(i)->path());
    }
  }
  return properties.build();
}

arrow::Status ParquetObjectWriter::OpenFile(const arrow::RecordBatch& first_rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<parquet::WriterProperties> properties, Properties(first_rows));
  ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(*first_rows.schema(), arrow::default_memory_pool(),
                                                                  stream_, properties));
  return arrow::Status::OK();
}

Result<AppendOutcome> ParquetObjectWriter::Append(std::span<const RecordRef> records) {
  SLUICE_CHECK(!finished_);
  AppendOutcome outcome;
  std::uint64_t overflow_before = converter_->overflow_fields();
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::uint64_t rows_before = converter_->rows();
    if (std::optional<RowError> error = converter_->Add(records[i].value)) {
      outcome.errors.push_back({i, error->code, std::move(error->message)});
      continue;
    }
    outcome.rows += converter_->rows() - rows_before;
    if (BatchIsFull()) {
      if (Status status = FlushBatch(); !status.ok()) return Error(std::move(status));
    }
  }
  outcome.overflow_fields = converter_->overflow_fields() - overflow_before;
  summary_.rows += outcome.rows;
  summary_.records += static_cast<std::uint64_t>(std::ranges::count_if(records, &RecordRef::counts));
  summary_.user_records += records.size();
  summary_.errors += outcome.errors.size();
  summary_.overflow_fields += outcome.overflow_fields;
  return outcome;
}

bool ParquetObjectWriter::BatchIsFull() {
  if (!sort_columns_.empty()) return RowGroupIsFull();
  return converter_->bytes() >= kBatchBytes || converter_->rows() >= kBatchRows;
}

// A sorted row group is one batch. Adding up its memory takes a while, so that is done every so many bytes and rows,
// which the records alone decide.
bool ParquetObjectWriter::RowGroupIsFull() {
  if (converter_->bytes() < look_at_bytes_ && converter_->rows() < look_at_rows_) return false;
  look_at_bytes_ = converter_->bytes() + kRowGroupBytesMin;
  look_at_rows_ = converter_->rows() + kLookRows;
  std::uint64_t memory = converter_->memory_bytes() + converter_->rows() * kSortBytesPerRow;
  return std::max(converter_->bytes(), memory) >= std::min(options_.row_group_bytes, kSortedBytesMax);
}

Status ParquetObjectWriter::FlushBatch() {
  std::uint64_t bytes = converter_->bytes();
  std::shared_ptr<arrow::RecordBatch> batch = converter_->TakeBatch();
  look_at_bytes_ = look_at_rows_ = 0;
  return Guard("writing a Parquet row group", [&]() -> arrow::Status {
    bool sort = !sort_columns_.empty() && batch->num_rows() > 0;
    return sort ? WriteSorted(*batch, bytes) : WriteBatch(*batch, bytes);
  });
}

arrow::Status ParquetObjectWriter::WriteBatch(const arrow::RecordBatch& batch, std::uint64_t bytes) {
  if (writer_ == nullptr) ARROW_RETURN_NOT_OK(OpenFile(batch));
  if (row_group_bytes_ >= options_.row_group_bytes) {
    ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
    row_group_bytes_ = 0;
  }
  row_group_bytes_ += bytes;
  return writer_->WriteRecordBatch(batch);
}

// A whole row group, gathered in pieces, so that only one piece is there twice.
arrow::Status ParquetObjectWriter::WriteSorted(const arrow::RecordBatch& batch, std::uint64_t bytes) {
  if (writer_ == nullptr) {
    ARROW_RETURN_NOT_OK(OpenFile(*batch.Slice(0, kBatchRows)));
  } else {
    ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
  }
  row_group_bytes_ = bytes;
  std::vector<std::uint32_t> order = SortedRows(batch, sort_columns_);
  SLUICE_CHECK(order.size() == static_cast<std::size_t>(batch.num_rows()));
  const std::uint64_t row_bytes = std::max<std::uint64_t>(1, bytes / order.size());
  const std::size_t at_once = std::clamp<std::size_t>(kBatchBytes / row_bytes, 1, kBatchRows);
  arrow::Datum rows(batch.Slice(0));
  for (std::size_t begin = 0; begin < order.size(); begin += at_once) {
    const std::size_t count = std::min(at_once, order.size() - begin);
    arrow::UInt32Array piece(static_cast<std::int64_t>(count), arrow::Buffer::Wrap(order.data() + begin, count));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum sorted,
                          arrow::compute::Take(rows, piece, arrow::compute::TakeOptions::NoBoundsCheck()));
    ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(*sorted.record_batch()));
  }
  return arrow::Status::OK();
}

Result<ObjectSummary> ParquetObjectWriter::Finish(const ObjectMetadata& metadata) {
  SLUICE_CHECK(!finished_);
  finished_ = true;
  if (converter_->rows() > 0 || writer_ == nullptr) {
    if (Status status = FlushBatch(); !status.ok()) return Error(std::move(status));
  }
  Status status = Guard("finishing a Parquet file", [&]() -> arrow::Status {
    auto footer = arrow::key_value_metadata({std::string(kFooterKey)}, {MetadataToJson(metadata, summary_)});
    ARROW_RETURN_NOT_OK(writer_->AddKeyValueMetadata(footer));
    return writer_->Close();
  });
  if (!status.ok()) return Error(std::move(status));
  writer_.reset();
  row_group_bytes_ = 0;
  summary_.bytes = stream_->written();
  return summary_;
}

Status CheckOptions(const ParquetOptions& options) {
  if (options.row_group_bytes < kRowGroupBytesMin || options.row_group_bytes > kBytesMax) {
    return Status(Code::kInvalidArgument, fmt::format("row groups of {} bytes; from {} to {} are possible",
                                                      options.row_group_bytes, kRowGroupBytesMin, kBytesMax));
  }
  if (options.page_bytes < kPageBytesMin || options.page_bytes > options.row_group_bytes) {
    return Status(Code::kInvalidArgument, fmt::format("pages of {} bytes; from {} to a row group's size are possible",
                                                      options.page_bytes, kPageBytesMin));
  }
  if (options.zstd_level < 1 || options.zstd_level > 22) {
    return Status(Code::kInvalidArgument, fmt::format("zstd level {}; 1 to 22 are possible", options.zstd_level));
  }
  return {};
}

}  // namespace

Result<ParquetCompression> ParseParquetCompression(std::string_view name) {
  if (name == "UNCOMPRESSED") return ParquetCompression::kUncompressed;
  if (name == "SNAPPY") return ParquetCompression::kSnappy;
  if (name == "GZIP") return ParquetCompression::kGzip;
  if (name == "ZSTD") return ParquetCompression::kZstd;
  return Error(Code::kInvalidArgument,
               fmt::format("Parquet compression '{}': expected UNCOMPRESSED, GZIP, SNAPPY or ZSTD", name));
}

Result<std::unique_ptr<ObjectWriter>> NewParquetObjectWriter(const ParquetOptions& options, const Schema& schema,
                                                             const ConverterOptions& converter, ObjectSink& sink) {
  if (Status status = CheckOptions(options); !status.ok()) return Error(std::move(status));
  Result<std::unique_ptr<RowConverter>> rows = RowConverter::New(schema, converter);
  if (!rows) return Error(rows.error());
  return std::make_unique<ParquetObjectWriter>(
      options, FindSortColumns(schema, options.sort_by, converter.case_insensitive), *std::move(rows), sink);
}

}  // namespace sluice::delivery
