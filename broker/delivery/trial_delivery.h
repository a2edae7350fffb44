// What a delivery stream would make of a few records, without a stream, a lake or anything that stays: `delivery check
// --sample`.
//
// A real DeliveryStream is run over records, metadata and a store that are in memory, until all is delivered: planner,
// processors, keys and object writers are those of every other delivery. Lambdas are really called.
//
// Threads: any that may block; calls are independent of one another. A crash leaves at most a file in `work_dir`, which
// the next call of the same name replaces.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/time_zone.h"
#include "broker/encryption/key_provider.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::delivery {

/// Records of one trial, and bytes of them: what comes of them has to fit one answer.
inline constexpr std::size_t kTrialRecordsMax = 200;
inline constexpr std::size_t kTrialBytesMax = 256u << 10;

/// The delivery stream of this name, where there is one: the trial goes on with its version and schema.
struct TrialBase {
  DeliveryIdentity identity;
  std::optional<Schema> schema;  // the newest pinned one
};

struct TrialParts {
  storage::Env& env;
  std::string work_dir;  // for what is set aside; nobody else's
  std::function<Result<TimeZone>(const std::string& name)> load_zone;
  ProcessorSettings processors;
  broker::KeyProvider* keys = nullptr;  // what is set aside is encrypted; nullptr: it is not
  std::optional<TrialBase> base;
};

struct TrialObject {
  std::string key;
  bool error = false;  // holds error records
  std::string bytes;
};

struct TrialOutcome {
  DeliveryTotals totals;
  std::optional<Schema> schema;      // of the rows; none without conversion
  std::vector<TrialObject> objects;  // in the order in which they were put
};

/// `records` become records of one shard that have just arrived. An error says why nothing can be delivered now, such
/// as a Lambda that is away.
Result<TrialOutcome> TryDelivery(DeliveryConfig config, std::vector<std::string> records, const TrialParts& parts);

}  // namespace sluice::delivery
