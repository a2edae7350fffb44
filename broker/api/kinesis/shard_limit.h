// How many shards all streams together may have.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/api/kinesis/context.h"

namespace sluice::broker::kinesis {

/// Open shards of all streams. Looks at each of them: on the blocking pool.
std::int64_t OpenShards(const Context& context);
/// An error where `additional` shards would be more than kinesis.shards_max allows.
std::optional<protocol::aws::ApiError> CheckShardLimit(const Context& context, const aws::Caller& caller,
                                                       std::int64_t additional);

}  // namespace sluice::broker::kinesis
