// ObjectWriter: turns the records of one range into the bytes of one lake object.
//
// The delivery stage decides the range, opens a writer on a sink (a local file, an upload to an object store, memory),
// appends the records in order and finishes with the metadata that makes the object say where it came from. The bytes
// are a pure function of options, schema, records and metadata: how the records were cut into Append calls, the clock
// and the machine do not matter, so that a range that is written again after a crash gives the same object.
//
// Implementations: NewParquetObjectWriter (parquet_object_writer.h), NewRawObjectWriter (raw_object_writer.h).
//
// Threads: a writer belongs to one thread at a time; it spends CPU, so run it beside the event loops, not on them.
// Crash behaviour: a writer holds memory only. Whatever its sink holds before Finish returned is not an object: write
// the range again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// One record as it comes from a shard, or one of those that a KPL aggregate there holds; the views must live until
/// Append returns.
struct RecordRef {
  std::string_view value;
  std::string_view key;
  ShardIndex shard;
  Offset offset;
  std::int64_t append_time_ms = 0;
  std::optional<std::uint64_t> sub_sequence = {};  // the place in the aggregate, from 0; none: the record itself

  /// The records of an aggregate count as one, by their first.
  bool counts() const { return sub_sequence.value_or(0) == 0; }
};

/// Where the bytes of an object go, in order. A failed Write ends the writer that called it.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  virtual Status Write(std::string_view bytes) = 0;
};

/// An object in memory; for small objects (error files) and tests.
class StringSink : public ObjectSink {
 public:
  Status Write(std::string_view bytes) override {
    bytes_.append(bytes);
    return {};
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// A record that did not become a row; the others of its Append did. `code` and `message` are Firehose's:
/// "DataFormatConversion.ParseError", "DataFormatConversion.MalformedData".
struct RecordError {
  std::size_t index = 0;  // in the span given to Append
  std::string_view code;  // a constant
  std::string message;
};

/// What became of the records of one Append.
struct AppendOutcome {
  std::uint64_t rows = 0;             // may exceed the records: one record may hold several JSON objects
  std::uint64_t overflow_fields = 0;  // fields put into `_overflow` because they did not fit their pinned type
  std::vector<RecordError> errors;    // in the order of the records
};

/// Records [first, last] of one shard, both included.
struct SourceRange {
  ShardIndex shard;
  Offset first;
  Offset last;
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

/// What an object says about itself: Parquet footer key-values, gzip extra fields, zip comments. Rows and errors are
/// counted by the writer; the rest comes from the delivery stage.
struct ObjectMetadata {
  std::string stream;           // the source stream's name
  std::string delivery_stream;  // the delivery stream's name
  std::string uid;              // the delivery stream's, as the intent has it; empty: not said
  std::vector<SourceRange> ranges;
  std::uint32_t schema_version = 0;                          // 0: no pinned schema
  std::vector<std::pair<std::string, std::string>> extra{};  // further key-values, as they are
  friend bool operator==(const ObjectMetadata&, const ObjectMetadata&) = default;
};

struct ObjectSummary {
  std::uint64_t rows = 0;
  std::uint64_t records = 0;          // of the log: an opened aggregate is one
  std::uint64_t user_records = 0;     // with what the opened aggregates hold in their place
  std::uint64_t errors = 0;           // user records that did not convert
  std::uint64_t overflow_fields = 0;  // over all Appends
  std::uint64_t bytes = 0;            // of the object, all of them given to the sink
};

class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  /// Takes the records in order. An error Status is the sink's or ours and ends the writer; records that do not convert
  /// are in the outcome.
  virtual Result<AppendOutcome> Append(std::span<const RecordRef> records) = 0;

  /// Memory held for rows that the sink has not seen yet.
  virtual std::uint64_t bytes_buffered() const = 0;

  /// Bytes given to the sink so far.
  virtual std::uint64_t bytes_written() const = 0;

  /// Writes what is left and the metadata. Call once; nothing may follow.
  virtual Result<ObjectSummary> Finish(const ObjectMetadata& metadata) = 0;
};

/// The metadata as it stands in an object: one JSON object without line breaks, keys in fixed order:
/// {"stream":..,"delivery_stream":..,"uid":..,"ranges":[{"shard":0,"first":0,"last":9}],"rows":..,"records":..,
///  "errors":..,"overflow_fields":..,"schema_version":..,"extra":{..}}. Without "uid" where it is empty; with
/// "user_records" behind "records" where these differ.
std::string MetadataToJson(const ObjectMetadata& metadata, const ObjectSummary& summary);

struct ObjectFacts {
  ObjectMetadata metadata;
  ObjectSummary summary;  // bytes is 0
};

/// Reads what MetadataToJson wrote. kCorruption where it is something else.
Result<ObjectFacts> MetadataFromJson(std::string_view json);

}  // namespace sluice::delivery
