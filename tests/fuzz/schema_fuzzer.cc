// Schemas: a type that parses is written and read back the same; no JSON breaks the readers or inference.
#include "broker/delivery/schema.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::delivery;
  const std::string_view input = sluice::fuzz::Input(data, size);
  if (auto type = ParseHiveType(input)) {
    auto again = ParseHiveType(ToHiveType(*type));
    SLUICE_CHECK(again && *again == *type);
  }
  (void)SchemaFromColumns(input);
  (void)SchemaFromGlueTable(input);
  if (auto schema = SchemaFromJson(input)) SLUICE_CHECK(*SchemaFromJson(SchemaToJson(*schema)) == *schema);
  const std::string_view records[] = {input.substr(0, size / 2), input.substr(size / 2), input};
  if (auto schema = InferSchema(records, {})) {
    auto back = SchemaFromJson(SchemaToJson(*schema));
    SLUICE_CHECK(back && *back == *schema);
    SLUICE_CHECK(WidenSchema(*schema, records, {}) == *schema || size > 0);
  }
  return 0;
}
