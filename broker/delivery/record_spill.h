// Records sorted into streams, in bounded memory: what does not fit is appended to one file, the buffers of all streams
// at a time, and read back stream by stream. So a delivery may have any number of objects and writes one at a time.
//
// The file is a run of chunks, each the next piece of one stream: records one after another, each a RecordHeader
// (host byte order: no other machine reads it), value, key and source. Seal adds the streams as JSON, and makes it
// durable. Where the broker has master keys each chunk and the JSON are encrypted (spill_cipher.h). Nothing else of a
// file is ever looked at: one that a crash left behind is written over.
//
// One thread at a time. Memory: `memory_max` and the largest record while it fills; a chunk, `memory_max` at most,
// while it is read; about 200 bytes a stream and 16 a chunk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/processing/processor.h"
#include "broker/delivery/spill_cipher.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// Piece of a stream in the file.
struct SpillChunk {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  // XXH3-64
  friend bool operator==(const SpillChunk&, const SpillChunk&) = default;
};

/// What the stream is: records of one data object, or the lines of one error object.
struct SpillName {
  std::string error_type;           // empty: a data object's
  std::vector<std::string> values;  // of the partition keys
  std::uint64_t part = 0;           // of a partition that needs several objects
  friend bool operator==(const SpillName&, const SpillName&) = default;
};

struct SpillStream {
  SpillName name;
  std::int64_t oldest_ms = 0;  // append time of the oldest record
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // of values
  std::vector<SpillChunk> chunks = {};
};

class RecordSpill {
 public:
  /// `env` and `keys` outlive it. The file is made when memory does not do, and is removed with the spill unless it was
  /// sealed. `keys`: nullptr where the broker has no master keys.
  RecordSpill(storage::Env& env, broker::KeyProvider* keys, std::string path, std::uint64_t memory_max);
  ~RecordSpill();
  RecordSpill(const RecordSpill&) = delete;
  RecordSpill& operator=(const RecordSpill&) = delete;

  /// A new stream; streams are numbered from 0.
  std::size_t NewStream(SpillName name);
  /// `source` is what an error record tells of the record; the value where they are the same.
  Status Append(std::size_t stream, const RecordRef& record, std::string_view source);
  const std::vector<SpillStream>& streams() const { return streams_; }

  /// Gives the records of one stream in order, some at a time, with their sources.
  using Visitor = std::function<Status(std::span<const RecordRef>, std::span<const WorkRecord>)>;
  Status Read(std::size_t stream, const Visitor& visitor);

  /// Makes all of it durable, with what the caller counted. Nothing is appended afterwards.
  Result<SpillSeal> Seal(const SpillCounts& counts);
  /// What was sealed; `counts` are those given then. kNotFound: the file is gone, or the master key; kCorruption: it is
  /// another one.
  static Result<std::unique_ptr<RecordSpill>> Reopen(storage::Env& env, broker::KeyProvider* keys, std::string path,
                                                     const SpillSeal& seal, SpillCounts& counts);

 private:
  Status Flush();
  Status OpenFile();
  SpillChunk Place(std::uint64_t offset, std::string& bytes) const;
  Result<std::string> ReadChunk(const SpillChunk& chunk) const;
  Status Visit(std::string_view bytes, const Visitor& visitor);

  storage::Env& env_;
  broker::KeyProvider* const keys_;
  const std::string path_;
  const std::uint64_t memory_max_;
  std::vector<SpillStream> streams_;
  std::vector<std::string> buffers_;  // by stream, what the file does not have
  std::uint64_t buffered_ = 0;
  std::unique_ptr<storage::File> file_;
  std::optional<SpillCipher> cipher_;  // of the file
  std::uint64_t end_ = 0;              // of the file
  bool sealed_ = false;
  std::vector<RecordRef> records_;  // of a visit
  std::vector<WorkRecord> work_;
};

}  // namespace sluice::delivery
