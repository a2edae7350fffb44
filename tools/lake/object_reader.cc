// Opens an object as Parquet where it starts as such, else as records.
#include "tools/lake/object_reader.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <exception>
#include <fstream>
#include <sstream>

#include "broker/delivery/parquet_object_writer.h"
#include "tools/lake/json_rows.h"
#include "tools/lake/record_object.h"

namespace sluice::tools {
namespace {

constexpr std::string_view kParquetMagic = "PAR1";

class RecordReader : public ObjectReader {
 public:
  explicit RecordReader(RecordObject object) : object_(std::move(object)) {}

  std::string format() const override { return object_.format; }
  std::string metadata() const override { return object_.metadata; }
  std::vector<std::pair<std::string, std::string>> columns() const override { return {}; }

  std::uint64_t rows() override {
    std::uint64_t rows = 0;
    std::string_view rest = object_.text;
    while (!TakeRecord(rest).empty()) ++rows;
    return rows;
  }

  Status ForEachRow(const TakeRow& take) override {
    std::string_view rest = object_.text;
    for (std::string_view record = TakeRecord(rest); !record.empty(); record = TakeRecord(rest)) {
      if (!take(record)) break;
    }
    return {};
  }

  Status ForEachCells(const TakeCells&) override {
    return Status(Code::kInvalidArgument, "a table is possible of Parquet objects only; leave --table out");
  }

 private:
  RecordObject object_;
};

class ParquetReader : public ObjectReader {
 public:
  static Result<std::unique_ptr<ObjectReader>> Open(const std::string& path) {
    auto reader = std::make_unique<ParquetReader>();
    arrow::Status status = reader->OpenFile(path);
    if (!status.ok()) return Error(Code::kCorruption, fmt::format("{}: {}", path, status.ToString()));
    return reader;
  }

  std::string format() const override { return "parquet"; }

  std::uint64_t rows() override {
    return static_cast<std::uint64_t>(reader_->parquet_reader()->metadata()->num_rows());
  }

  std::string metadata() const override {
    auto values = reader_->parquet_reader()->metadata()->key_value_metadata();
    arrow::Result<std::string> found =
        values == nullptr ? arrow::Status::KeyError("none") : values->Get(std::string(delivery::kFooterKey));
    return found.ok() ? *found : "";
  }

  std::vector<std::pair<std::string, std::string>> columns() const override {
    std::shared_ptr<arrow::Schema> schema;
    std::vector<std::pair<std::string, std::string>> columns;
    if (!reader_->GetSchema(&schema).ok()) return columns;
    for (const auto& field : schema->fields()) columns.emplace_back(field->name(), field->type()->ToString());
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

 private:
  arrow::Status OpenFile(const std::string& path) {
    try {
      ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
      ARROW_ASSIGN_OR_RAISE(reader_, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
      reader_->set_use_threads(false);
      return arrow::Status::OK();
    } catch (const std::exception& e) {  // a damaged footer throws
      return arrow::Status::Invalid(e.what());
    }
  }

  template <typename Take>
  arrow::Status Stream(const Take& take) {
    ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader());
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

  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> ObjectReader::Open(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::kNotFound, fmt::format("{}: there is no such file that can be read", path));
  std::string magic(kParquetMagic.size(), '\0');
  file.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  if (magic == kParquetMagic) return ParquetReader::Open(path);
  file.clear();
  file.seekg(0);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (file.bad()) return Error(Code::kIoError, fmt::format("{}: reading failed", path));
  Result<RecordObject> object = DecodeRecordObject(bytes.view(), path);
  if (!object) return Error(object.error().WithContext(path));
  return std::make_unique<RecordReader>(*std::move(object));
}

}  // namespace sluice::tools
