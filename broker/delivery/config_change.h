// What a changed configuration means for a delivery stream that is there already: which keys differ, which of them
// cannot change and what to do instead, and the schema that its next delivery has.
//
// Values and pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/schema.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct ConfigChange {
  std::vector<std::string> keys;     // that differ; none: nothing to do
  std::vector<std::string> refused;  // one sentence each; none: the change can be made
  std::vector<std::string> warnings;
  std::optional<Schema> schema;  // to be pinned with the change, where it differs from the pinned one
};

/// From `before`, as stored, to `after`. `pinned` is the newest pinned schema, if there is one.
ConfigChange CompareConfigs(const DeliveryConfig& before, const DeliveryConfig& after,
                            const std::optional<Schema>& pinned);

/// All that is refused, as one error: kFailedPrecondition.
Status RefusedChange(const std::string& delivery_stream, const ConfigChange& change);

/// kInvalidArgument where records cannot be converted by this schema: two columns for one JSON key, say.
Status CheckConversion(const DeliveryConfig& config, const std::optional<Schema>& schema);

/// Which Bloom filters are asked of columns that `schema` does not have, or that can have none.
std::vector<std::string> BloomFilterWarnings(const DeliveryConfig& config, const Schema& schema);

/// Which ColumnToJsonKeyMappings are of columns, also of structs, that `schema` does not have.
std::vector<std::string> MappingWarnings(const DeliveryConfig& config, const Schema& schema);

/// The schema that the configuration declares, as version 1; nullopt where it declares none.
std::optional<Schema> DeclaredSchema(const DeliveryConfig& config);

}  // namespace sluice::delivery
