// The rows go through Arrow, which checks them.
#include "tests/delivery/converted_rows.h"

#include <arrow/api.h>

#include <optional>

#include "tests/catch.h"
#include "tools/lake/json_rows.h"

namespace sluice::delivery {

Schema SchemaOf(std::string_view type, bool overflow) {
  Result<ColumnType> parsed = ParseHiveType(type);
  REQUIRE(parsed);
  Schema schema;
  schema.columns = parsed->children;
  schema.overflow = overflow;
  return schema;
}

Rows::Rows(std::string_view struct_type, const ConverterOptions& options, bool overflow) {
  Result<std::unique_ptr<RowConverter>> made = RowConverter::New(SchemaOf(struct_type, overflow), options);
  REQUIRE(made);
  converter_ = *std::move(made);
}

std::string Rows::operator()(std::string_view record) {
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

}  // namespace sluice::delivery
