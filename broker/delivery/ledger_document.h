// The ledger of one delivery stream as JSON: what `sluice verify` compares the lake with (docs/delivery.md). It is told
// in pages, as an answer has at most 1 MiB.
//
// Values only; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct LedgerDocument {
  std::string name;
  std::string uid;                 // a later delivery stream of this name has another; empty: not said
  std::string stream;              // the source
  bool stream_exists = true;       // that very stream, not a later one of its name
  std::string bucket;              // the one in force
  std::string backup_bucket = {};  // the same of the backup; empty: there is none
  /// Where the buckets are, these and those of the entries: on the broker's machine, or URIs (bucket_root.h).
  std::map<std::string, std::string> directories = {};
  std::string endpoint = {};  // where the records are sent to instead; the objects are errors then. Empty: nowhere
  std::vector<ShardPosition> shards;
  std::optional<Intent> intent;  // being delivered just now
  std::vector<LedgerEntry> entries;
  std::string next = {};  // where the next page begins; empty: this is the last one
};

/// The page that begins at `from`, the `next` of the page before, or empty for the first one. A delivery of many
/// objects goes over several pages. kInvalidArgument: nobody has said `from`.
Result<std::string> LedgerPageToJson(const LedgerDocument& document, std::string_view from);
/// Adds the page that follows. What was decided after the first page was told is not in it.
void AddLedgerPage(LedgerDocument& document, LedgerDocument page);
/// kCorruption where it is something else.
Result<LedgerDocument> LedgerDocumentFromJson(std::string_view json);

}  // namespace sluice::delivery
