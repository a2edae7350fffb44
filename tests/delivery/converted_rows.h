// A converter whose rows are read back as JSON, for tests of the conversion.
#pragma once

#include <arrow/api.h>

#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/row_converter.h"
#include "tests/catch.h"
#include "tools/lake/json_rows.h"

namespace sluice::delivery {

inline Schema SchemaOf(std::string_view type, bool overflow = false) {
  Result<ColumnType> parsed = ParseHiveType(type);
  REQUIRE(parsed);
  Schema schema;
  schema.columns = parsed->children;
  schema.overflow = overflow;
  return schema;
}

// A converter whose rows are read back as JSON.
class Rows {
 public:
  explicit Rows(std::string_view struct_type, const ConverterOptions& options = {}, bool overflow = false) {
    Result<std::unique_ptr<RowConverter>> made = RowConverter::New(SchemaOf(struct_type, overflow), options);
    REQUIRE(made);
    converter_ = *std::move(made);
  }

  // The record's rows, joined by a blank, or the error's code and message.
  std::string operator()(std::string_view record) {
    std::uint64_t before = converter_->rows();
    if (std::optional<RowError> error = converter_->Add(record)) {
      CHECK(converter_->rows() == before);
      return std::string(error->code) + ": " + error->message;
    }
    std::shared_ptr<arrow::RecordBatch> batch = converter_->TakeBatch();
    CHECK(batch->ValidateFull().ToString() == "OK");
    std::string out;
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      if (row > 0) out += ' ';
      tools::AppendJsonRow(*batch, row, out);
    }
    return out;
  }
  RowConverter& converter() { return *converter_; }

 private:
  std::unique_ptr<RowConverter> converter_;
};

inline const std::string kParse = "DataFormatConversion.ParseError: Encountered malformed JSON. ";
inline const std::string kData = "DataFormatConversion.MalformedData: Data does not match the schema. ";

}  // namespace sluice::delivery
