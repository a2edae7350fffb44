// Readers over Arrow; a batch of rows is in memory at a time.
#include "tools/lake/columnar_reader.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <exception>

#include "broker/delivery/columnar_object_writer.h"
#include "tools/lake/hive_words.h"
#include "tools/lake/json_rows.h"

namespace sluice::tools {
namespace {

constexpr std::int64_t kOrcBatchRows = 4096;

/// What a footer has under our key; empty where it has nothing there.
std::string OurMetadata(const std::shared_ptr<const arrow::KeyValueMetadata>& values) {
  if (values == nullptr) return "";
  arrow::Result<std::string> found = values->Get(std::string(delivery::kFooterKey));
  return found.ok() ? *found : "";
}

class ColumnarReader : public ObjectReader {
 public:
  std::string format() const override { return format_; }
  std::uint64_t rows() override { return rows_; }
  std::string metadata() const override { return metadata_; }

  std::vector<std::pair<std::string, std::string>> columns(TypeWords words) const override {
    std::vector<std::pair<std::string, std::string>> columns;
    for (const auto& field : schema_->fields()) {
      const arrow::DataType& type = *field->type();
      columns.emplace_back(field->name(), words == TypeWords::kHive ? HiveWord(type) : type.ToString());
    }
    return columns;
  }

  Status ForEachRow(const TakeRow& take) override {
    std::string json;
    return ForEach([&](const arrow::RecordBatch& batch, std::int64_t row) {
      json.clear();
      AppendJsonRow(batch, row, json);
      return take(json);
    });
  }

  Status ForEachCells(const TakeCells& take) override {
    std::vector<std::string> cells;
    return ForEach([&](const arrow::RecordBatch& batch, std::int64_t row) {
      cells.assign(static_cast<std::size_t>(batch.num_columns()), "");
      for (int i = 0; i < batch.num_columns(); ++i) {
        AppendJsonValue(*batch.column(i), row, cells[static_cast<std::size_t>(i)]);
      }
      return take(cells);
    });
  }

 protected:
  explicit ColumnarReader(std::string format) : format_(std::move(format)) {}
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Batches() = 0;

  // Set by what opens the file.
  std::shared_ptr<arrow::Schema> schema_;
  std::uint64_t rows_ = 0;
  std::string metadata_;

 private:
  template <typename Take>
  arrow::Status Stream(const Take& take) {
    ARROW_ASSIGN_OR_RAISE(auto batches, Batches());
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches->ReadNext(&batch));
      if (batch == nullptr) return arrow::Status::OK();
      for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
        if (!take(*batch, row)) return arrow::Status::OK();
      }
    }
  }

  template <typename Take>
  Status ForEach(const Take& take) {
    try {
      arrow::Status status = Stream(take);
      return status.ok() ? Status() : Status(Code::kCorruption, status.ToString());
    } catch (const std::exception& e) {  // a damaged page throws
      return Status(Code::kCorruption, e.what());
    }
  }

  const std::string format_;
};

class ParquetReader : public ColumnarReader {
 public:
  ParquetReader() : ColumnarReader("parquet") {}

  arrow::Status Open(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    ARROW_ASSIGN_OR_RAISE(reader_, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    reader_->set_use_threads(false);
    ARROW_RETURN_NOT_OK(reader_->GetSchema(&schema_));
    const auto metadata = reader_->parquet_reader()->metadata();
    rows_ = static_cast<std::uint64_t>(metadata->num_rows());
    metadata_ = OurMetadata(metadata->key_value_metadata());
    return arrow::Status::OK();
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Batches() override {
    return reader_->GetRecordBatchReader();
  }

  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

class OrcReader : public ColumnarReader {
 public:
  OrcReader() : ColumnarReader("orc") {}

  arrow::Status Open(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    ARROW_ASSIGN_OR_RAISE(reader_, arrow::adapters::orc::ORCFileReader::Open(file, arrow::default_memory_pool()));
    ARROW_ASSIGN_OR_RAISE(schema_, reader_->ReadSchema());
    rows_ = static_cast<std::uint64_t>(reader_->NumberOfRows());
    ARROW_ASSIGN_OR_RAISE(const auto metadata, reader_->ReadMetadata());
    metadata_ = OurMetadata(metadata);
    return arrow::Status::OK();
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Batches() override {
    return reader_->GetRecordBatchReader(kOrcBatchRows, {});
  }

  std::unique_ptr<arrow::adapters::orc::ORCFileReader> reader_;
};

template <typename Reader>
Result<std::unique_ptr<ObjectReader>> Open(const std::string& path) {
  auto reader = std::make_unique<Reader>();
  std::string problem;
  try {
    if (const arrow::Status status = reader->Open(path); !status.ok()) problem = status.ToString();
  } catch (const std::exception& e) {  // a damaged footer throws
    problem = e.what();
  }
  if (!problem.empty()) return Error(Code::kCorruption, fmt::format("{}: {}", path, problem));
  return reader;
}

}  // namespace

Result<std::unique_ptr<ObjectReader>> OpenParquetObject(const std::string& path) { return Open<ParquetReader>(path); }
Result<std::unique_ptr<ObjectReader>> OpenOrcObject(const std::string& path) { return Open<OrcReader>(path); }

}  // namespace sluice::tools
