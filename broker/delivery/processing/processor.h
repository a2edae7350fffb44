// What a processor of Firehose's ProcessingConfiguration is here: it takes records on their way to the lake and hands
// on what becomes of them.
//
// A processor is one file behind this interface and one line in processor_registry.cc.
//
// Threads: one at a time; a processor belongs to one pipeline. Crash behaviour: nothing is kept. The same records are
// processed again when a delivery is repeated; of a processor whose answer may differ then, the registry says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/object_writer.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// A name and a value by which records are partitioned: what `!{partitionKeyFromQuery:name}` stands for.
struct PartitionKey {
  std::string_view name;
  std::string_view value;
};

/// How many records one may be split into, so that memory has a bound: twenty times as many as Firehose opens.
inline constexpr std::size_t kPartsMax = 10'000;

/// One record on its way. The views live as long as the batch.
struct WorkRecord {
  RecordRef record;                    // its value is what the processors so far have made of it
  std::string_view source;             // its value before them: what an error record tells
  std::uint64_t* next_part = nullptr;  // the next free place among all that come of its record of the log
  std::span<const PartitionKey> query_keys = {};
  std::span<const PartitionKey> lambda_keys = {};
};

/// A record that a processor could not process, or an endpoint did not take; it goes to the error output.
struct ProcessingFailure {
  RecordRef record;             // its value is the source
  std::string_view error_type;  // a constant: {firehose:error-output-type}
  std::string code;
  std::string message;
  std::uint32_t attempts = 1;
  std::string lambda_arn = {};  // of a Lambda that failed; empty: none
  std::int64_t ended_ms = 0;    // of the last attempt; 0: when the delivery was decided
  std::vector<std::pair<std::string, std::string>> fields = {};  // before rawData in its line: names, values as JSON
};

/// True where both come of one record of the log.
bool SameLogRecord(const WorkRecord& left, const RecordRef& right);

/// Adds what a record was split into to `out`. Each part is a record of its own from here on, with a place of its own
/// and its part as its source; one part alone stays the record that it is part of. The parts live as long as the batch.
void AddParts(const WorkRecord& whole, std::span<const std::string_view> parts, std::vector<WorkRecord>& out);

class WorkBatch {
 public:
  std::vector<WorkRecord> records;
  std::vector<ProcessingFailure> failures;
  std::uint64_t filtered = 0;  // dropped on purpose

  /// Adds a copy. The records of an aggregate come one behind the other, by their places.
  void Add(const RecordRef& record);
  /// Keeps a copy as long as the batch is not cleared. Behind bytes stands kPadding, as simdjson wants it.
  static constexpr std::size_t kPadding = 64;
  std::string_view Keep(std::string_view bytes);
  std::span<const PartitionKey> Keep(std::span<const PartitionKey> keys);
  void Fail(const WorkRecord& record, std::string_view error_type, std::string code, std::string message);
  void Clear();

 private:
  std::pmr::monotonic_buffer_resource memory_;
  std::deque<std::uint64_t> next_parts_;  // one for each record of the log
};

class Processor {
 public:
  virtual ~Processor() = default;

  /// Replaces the records of the batch by what becomes of them, in their order. All that become of one record stand
  /// side by side. What it returns is not a record's fault: nothing of the batch counts, and the delivery is tried
  /// again later.
  virtual Status Process(WorkBatch& batch) = 0;

  /// How many bytes of records of the log a batch has before it is processed: few where a processor may make very much
  /// of them.
  virtual std::uint64_t batch_bytes() const { return 1u << 20; }
};

}  // namespace sluice::delivery
