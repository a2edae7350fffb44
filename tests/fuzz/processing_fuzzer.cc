// Processors that open records: any bytes become records, failures or nothing, no two of them in one place, and the
// same the next time.
//
// The first byte says which processors run; with the last choice the input is compressed first, so that it gets past
// the decompression. Records are separated by 0x1e.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/delivery/processing/processor_registry.h"
#include "protocol/compression.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace sluice;
using namespace sluice::delivery;

constexpr std::string_view kDelimiter = ";;";
const ProcessorConfig kDecompression{"Decompression", {}};
const ProcessorConfig kCloudWatch{"CloudWatchLogProcessing", {{"DataMessageExtraction", "true"}}};
const ProcessorConfig kJson{"RecordDeAggregation", {{"SubRecordType", "JSON"}}};
const ProcessorConfig kDelimited{"RecordDeAggregation", {{"SubRecordType", "DELIMITED"}, {"Delimiter", "Ozs="}}};
const std::vector<std::vector<ProcessorConfig>> kChoices = {
    {kDecompression}, {kCloudWatch}, {kJson}, {kDelimited}, {kDecompression, kCloudWatch, kJson}};

std::vector<std::string> Records(std::string_view input, bool compress) {
  std::vector<std::string> records;
  do {
    const std::string_view record = input.substr(0, input.find('\x1e'));
    input.remove_prefix(std::min(input.size(), record.size() + 1));
    std::string& added = records.emplace_back();
    if (compress) {
      protocol::Compress(protocol::Compression::kGzip, record, added);
    } else {
      added = record;
    }
  } while (!input.empty());
  return records;
}

void Run(const std::vector<ProcessorConfig>& processors, const std::vector<std::string>& records, WorkBatch& batch) {
  for (std::uint64_t offset = 0; const std::string& record : records) {
    batch.Add({.value = record, .key = "key", .shard = ShardIndex(0), .offset = Offset(offset++)});
  }
  for (const ProcessorConfig& config : processors) {
    SLUICE_CHECK((*FindProcessorKind(config.type)->make(config, {}))->Process(batch).ok());
  }
}

/// Every record of the log has become something, and nothing stands where another does.
void CheckPlaces(const WorkBatch& batch, std::size_t records) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> places;
  std::set<std::uint64_t> offsets;
  const auto see = [&](const RecordRef& record) {
    SLUICE_CHECK(record.key == "key" && record.offset.value < records);
    SLUICE_CHECK(places.emplace(record.offset.value, record.sub_sequence.value_or(0)).second);
    offsets.insert(record.offset.value);
  };
  for (const WorkRecord& record : batch.records) see(record.record);
  for (const ProcessingFailure& failure : batch.failures) {
    SLUICE_CHECK(!failure.code.empty() && !failure.message.empty());
    see(failure.record);
  }
  SLUICE_CHECK(offsets.size() + batch.filtered >= records);
  SLUICE_CHECK(std::ranges::is_sorted(batch.records, {}, [](const WorkRecord& r) { return r.record.offset; }));
}

/// Delimited parts, put together again, are what they were split from.
void CheckDelimited(const WorkBatch& batch, const std::vector<std::string>& records) {
  std::vector<std::string> joined(records.size());
  std::set<std::uint64_t> failed;
  for (const ProcessingFailure& failure : batch.failures) failed.insert(failure.record.offset.value);
  for (const WorkRecord& record : batch.records) {
    joined[record.record.offset.value] += std::string(record.record.value) + std::string(kDelimiter);
  }
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (failed.contains(i) || records[i].empty()) continue;
    SLUICE_CHECK(joined[i] == records[i] || joined[i] == records[i] + std::string(kDelimiter));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const std::size_t choice = data[0] % (kChoices.size() + 1);
  const std::vector<ProcessorConfig>& processors = kChoices[std::min(choice, kChoices.size() - 1)];
  const auto records = Records(sluice::fuzz::Input(data, size).substr(1), choice == kChoices.size());
  WorkBatch batch, again;
  Run(processors, records, batch);
  CheckPlaces(batch, records.size());
  if (choice == 3) CheckDelimited(batch, records);
  Run(processors, records, again);
  SLUICE_CHECK(batch.records.size() == again.records.size() && batch.failures.size() == again.failures.size());
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    SLUICE_CHECK(batch.records[i].record.value == again.records[i].record.value);
    SLUICE_CHECK(batch.records[i].source == again.records[i].source);
    SLUICE_CHECK(batch.records[i].record.sub_sequence == again.records[i].record.sub_sequence);
  }
  return 0;
}
