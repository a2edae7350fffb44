// The JSON documents that delivery control answers with; docs/delivery.md describes every field.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/delivery_stream.h"
#include "broker/delivery/trial_delivery.h"

namespace sluice::delivery {

/// What an answer says of the action besides the state after it.
struct ActionOutcome {
  std::optional<std::vector<std::string>> changes;  // the keys that a `create` of an existing one has changed
  std::optional<std::uint64_t> flush;               // the number of a `flush`
};
/// One delivery stream as `describe`, `create`, `pause`, `resume` and `flush` show it.
std::string DescribeJson(const DeliveryStream& stream, std::int64_t now_ms, const ActionOutcome& outcome = {});
/// {"delivery_streams":[..]}, one line of facts each.
std::string ListJson(const std::vector<const DeliveryStream*>& streams, std::int64_t now_ms);
/// What `check` says about a configuration that is right. `changes`: the keys that it would change; `trial`: what would
/// become of a sample; `copy`: the statement that loads objects into a cluster, empty where there is none.
std::string CheckJson(const DeliveryConfig& config, const std::string& example_key, const std::string& copy,
                      const std::optional<std::vector<std::string>>& changes, const std::optional<TrialOutcome>& trial);

}  // namespace sluice::delivery
