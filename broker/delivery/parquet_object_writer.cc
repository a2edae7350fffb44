// The Parquet file over Arrow's writer.
#include "broker/delivery/parquet_object_writer.h"

#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/delivery/dictionary_choice.h"
#include "broker/delivery/plain_columns.h"
#include "broker/delivery/sink_stream.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kRowGroupBytesMin = 64u << 10;
constexpr std::uint64_t kPageBytesMin = 8u << 10;
constexpr std::uint64_t kBytesMax = 2ull << 30;
constexpr double kFppMin = 0.0001;  // smaller filters' sizes have no bound
constexpr double kFppMax = 0.9999;
constexpr std::int64_t kValuesMin = 1000;  // of a Bloom filter
constexpr std::int64_t kValuesMax = 8'000'000;

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

class ParquetFile : public ColumnarFile {
 public:
  ParquetFile(const ParquetOptions& options, std::vector<SortColumn> sort_by, std::vector<PlainColumn> bloom_filters,
              std::shared_ptr<arrow::io::OutputStream> stream)
      : options_(options),
        sort_by_(std::move(sort_by)),
        bloom_filters_(std::move(bloom_filters)),
        stream_(std::move(stream)) {}

  arrow::Status BeginGroup(const arrow::RecordBatch& rows, std::uint64_t row_bytes) override {
    return writer_ == nullptr ? Open(rows, row_bytes) : writer_->NewBufferedRowGroup();
  }
  arrow::Status Append(const arrow::RecordBatch& rows) override { return writer_->WriteRecordBatch(rows); }
  arrow::Status Close(const std::string& metadata) override {
    ARROW_RETURN_NOT_OK(writer_->AddKeyValueMetadata(arrow::key_value_metadata({std::string(kFooterKey)}, {metadata})));
    return writer_->Close();
  }

 private:
  // The file is opened with its first rows: they decide which columns have a dictionary.
  arrow::Status Open(const arrow::RecordBatch& rows, std::uint64_t row_bytes) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<parquet::WriterProperties> properties, Properties(rows, row_bytes));
    ARROW_ASSIGN_OR_RAISE(
        writer_, parquet::arrow::FileWriter::Open(*rows.schema(), arrow::default_memory_pool(), stream_, properties));
    return arrow::Status::OK();
  }
  arrow::Result<std::shared_ptr<parquet::WriterProperties>> Properties(const arrow::RecordBatch& rows,
                                                                       std::uint64_t row_bytes) const;

  const ParquetOptions options_;
  const std::vector<SortColumn> sort_by_;
  const std::vector<PlainColumn> bloom_filters_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;  // null before the first group
};

arrow::Result<std::shared_ptr<parquet::WriterProperties>> ParquetFile::Properties(const arrow::RecordBatch& rows,
                                                                                  std::uint64_t row_bytes) const {
  parquet::WriterProperties::Builder properties;
  properties.compression(ToParquet(options_.compression));
  if (options_.compression == ParquetCompression::kZstd) properties.compression_level(options_.zstd_level);
  properties.data_pagesize(static_cast<std::int64_t>(options_.page_bytes));
  properties.max_row_group_length(std::numeric_limits<std::int64_t>::max());
  properties.data_page_version(options_.writer_version_2 ? parquet::ParquetDataPageVersion::V2
                                                         : parquet::ParquetDataPageVersion::V1);
  std::vector<parquet::SortingColumn> sorting;
  for (const SortColumn& key : sort_by_) sorting.push_back({key.leaf, key.descending, !key.descending});
  properties.set_sorting_columns(std::move(sorting));
  std::shared_ptr<parquet::SchemaDescriptor> leaves;
  ARROW_RETURN_NOT_OK(
      parquet::arrow::ToParquetSchema(rows.schema().get(), *parquet::default_writer_properties(), &leaves));
  std::vector<bool> dictionaries = ChooseDictionaries(rows);
  SLUICE_CHECK(static_cast<std::size_t>(leaves->num_columns()) == dictionaries.size());
  for (int i = 0; i < leaves->num_columns(); ++i) {
    if (!options_.dictionary || !dictionaries[static_cast<std::size_t>(i)]) {
      properties.disable_dictionary(leaves->Column(i)->path());
    }
  }
  // A filter is made for as many values as a row group may have, and folded to those that it has.
  parquet::BloomFilterOptions bloom;
  bloom.fpp = std::clamp(options_.bloom_filter_fpp, kFppMin, kFppMax);
  bloom.ndv = std::clamp(static_cast<std::int64_t>(options_.row_group_bytes / row_bytes), kValuesMin, kValuesMax);
  bloom.fold = true;
  for (const PlainColumn& column : bloom_filters_) {
    properties.enable_bloom_filter(leaves->Column(column.leaf)->path(), bloom);
  }
  return properties.build();
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
  const std::vector<SortColumn> sort_by = FindSortColumns(schema, options.sort_by, converter.case_insensitive);
  std::vector<PlainColumn> blooms =
      FindBloomFilterColumns(schema.columns, options.bloom_filter_columns, converter.case_insensitive);
  const SinkStream stream(sink);
  return NewColumnarObjectWriter({"Parquet", options.row_group_bytes, sort_by}, *std::move(rows), stream,
                                 std::make_unique<ParquetFile>(options, sort_by, std::move(blooms), stream.stream()));
}

}  // namespace sluice::delivery
