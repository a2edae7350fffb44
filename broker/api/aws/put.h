// Appending the records of one request, one batch per shard, for every operation that puts records. A client never
// learns of a split or merge: what meets a closed shard goes to its children.
//
// Threads: on the call's loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "broker/api/aws/operation.h"
#include "broker/append_service.h"
#include "broker/stream_catalog.h"
#include "protocol/aws/document.h"
#include "protocol/hash_key.h"
#include "storage/env/env.h"
#include "storage/log_writer.h"

namespace sluice::broker::aws {

/// All of it outlives the puts.
struct PutParts {
  const StreamCatalog& catalog;
  AppendService& appends;
  storage::Clock& clock;
  std::uint64_t batch_bytes_max;
};

/// One record of a request; views into the call's input.
struct PutEntry {
  std::optional<std::string_view> key;  // of the stored record
  protocol::aws::Value data;            // a blob: its value
  protocol::HashKey hash;               // says which shard
  std::size_t bytes = 0;                // key and data
  bool throttled = false;               // not to be appended; its result says so
};

/// What a record adds to a batch besides key and data: some lengths and a number.
inline constexpr std::size_t kRecordOverheadMax = 32;
/// The largest record that can be appended, key and data together.
std::size_t RecordRoom(const AppendOptions& options);

/// Of one entry: where it is, with its own offset, or why it was not appended.
struct PutResult {
  const ShardInfo* shard;  // as good as the PutResults; of what was appended or throttled
  Result<storage::Appended> appended;
  bool throttled = false;
};
/// Of each entry, in their order.
using PutResults = std::vector<PutResult>;
using PutDone = std::move_only_function<void(const PutResults&)>;

/// Appends durably; waits first while the broker has no room. `entries`: at least one. `done` runs on the call's loop.
void Put(const PutParts& parts, CallPtr call, StreamPtr stream, std::vector<PutEntry> entries, PutDone done);

}  // namespace sluice::broker::aws
