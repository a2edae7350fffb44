// KPL aggregates: any bytes as a record, and any message under a right MD5. What comes out lies within what went in.
#include "protocol/endian.h"
#include "protocol/hash_key.h"
#include "protocol/kpl_aggregate.h"
#include "tests/fuzz/fuzz.h"

namespace {

void CheckInside(std::string_view part, std::string_view whole) {
  SLUICE_CHECK(part.empty() ||
               (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size()));
}

void Open(std::string_view record) {
  const auto records = sluice::protocol::OpenKplAggregate(record);
  if (!records) return;
  SLUICE_CHECK(sluice::protocol::MayBeKplAggregate(record));
  for (const auto& one : *records) {
    CheckInside(one.partition_key, record);
    CheckInside(one.explicit_hash_key.value_or(""), record);
    CheckInside(one.data, record);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = sluice::fuzz::Input(data, size);
  Open(input);
  const sluice::protocol::HashKey md5 = sluice::protocol::HashPartitionKey(input);
  std::string tail(16, '\0');
  sluice::protocol::StoreBigEndian(tail.data(), md5.high);
  sluice::protocol::StoreBigEndian(tail.data() + 8, md5.low);
  Open("\xF3\x89\x9A\xC2" + std::string(input) + tail);
  return 0;
}
