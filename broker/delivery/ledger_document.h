// The whole ledger of one delivery stream as one JSON document: what `sluice verify` compares the lake with
// (docs/delivery.md).
//
// Values only; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct LedgerDocument {
  std::string name;
  std::string uid;            // a later delivery stream of this name has another; empty: not said
  std::string stream;         // the source
  bool stream_exists = true;  // that very stream, not a later one of its name
  std::string bucket;
  std::string directory;   // where the bucket is on the broker's machine
  bool converted = false;  // the objects are Parquet
  std::vector<ShardPosition> shards;
  std::optional<Intent> intent;  // being delivered just now
  std::vector<LedgerEntry> entries;
};

std::string LedgerDocumentToJson(const LedgerDocument& document);
/// kCorruption where it is something else.
Result<LedgerDocument> LedgerDocumentFromJson(std::string_view json);

}  // namespace sluice::delivery
