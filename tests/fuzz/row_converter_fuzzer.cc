// RowConverter: any bytes are rows or an error; the columns stay valid, and a failed record leaves no row.
#include <arrow/api.h>

#include "broker/delivery/json_scan.h"
#include "broker/delivery/row_converter.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace sluice;
using namespace sluice::delivery;

constexpr std::string_view kType =
    "struct<a:int,b:string,c:double,d:boolean,t:timestamp,e:date,m:decimal(20,3),y:binary,g:bigint,"
    "s:struct<x:int,z:struct<q:string>>,l:array<struct<k:smallint,v:array<float>>>,p:map<string,map<int,string>>>";

std::unique_ptr<RowConverter> MakeConverter(bool overflow) {
  Schema schema;
  schema.columns = ParseHiveType(kType)->children;
  schema.overflow = overflow;
  ConverterOptions options;
  options.dots_to_underscores = overflow;
  options.timestamp_formats = {"dd/MMM/yyyy:HH:mm:ss Z"};
  return *RowConverter::New(schema, options);
}

// What stands in `_overflow` is one JSON object.
void CheckOverflow(const arrow::RecordBatch& batch) {
  const auto& column = static_cast<const arrow::StringArray&>(*batch.column(batch.num_columns() - 1));
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) continue;
    std::string_view text = column.GetView(row);
    SLUICE_CHECK(text.starts_with('{') && !text.empty());
    SLUICE_CHECK(SkipJsonValue(text, 64).size() == text.size() || text.size() > 1 << 20);
  }
}

void Convert(RowConverter& converter, std::string_view records, bool overflow) {
  while (!records.empty()) {
    std::string_view record = records.substr(0, records.find('\x1e'));
    records.remove_prefix(std::min(records.size(), record.size() + 1));
    std::uint64_t before = converter.rows();
    if (converter.Add(record)) SLUICE_CHECK(converter.rows() == before);
  }
  std::shared_ptr<arrow::RecordBatch> batch = converter.TakeBatch();
  SLUICE_CHECK(batch->ValidateFull().ok());
  if (overflow) CheckOverflow(*batch);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<RowConverter> kDeclared = MakeConverter(false);
  static const std::unique_ptr<RowConverter> kInferred = MakeConverter(true);
  Convert(*kDeclared, sluice::fuzz::Input(data, size), false);
  Convert(*kInferred, sluice::fuzz::Input(data, size), true);
  return 0;
}
