// Lake objects: damaged bytes are an error, never more than the object's limit of memory.
#include "broker/delivery/object_writer.h"
#include "tests/fuzz/fuzz.h"
#include "tools/lake/record_object.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  const std::string_view input = fuzz::Input(data, size);
  for (const char* name : {"object", "object.snappy"}) {
    Result<tools::RecordObject> object = tools::DecodeRecordObject(input, name);
    if (!object) continue;
    std::string_view rest = object->text;
    while (!tools::TakeRecord(rest).empty()) {
    }
    SLUICE_CHECK(rest.empty());
    (void)delivery::MetadataFromJson(object->metadata);
  }
  (void)delivery::MetadataFromJson(input);
  return 0;
}
