// The broker has one set of streams, so that its accounts share one limit.
#include "broker/api/kinesis/shard_limit.h"

#include <fmt/format.h>

namespace sluice::broker::kinesis {

std::int64_t OpenShards(const Context& context) {
  std::int64_t shards = 0;
  for (const StreamPtr& stream : context.parts.catalog.List()) {
    shards += static_cast<std::int64_t>(stream->shards.ranges().size());
  }
  return shards;
}

std::optional<protocol::aws::ApiError> CheckShardLimit(const Context& context, const aws::Caller& caller,
                                                       std::int64_t additional) {
  const std::int64_t limit = context.parts.options.shards_max;
  if (limit == 0) return std::nullopt;
  const std::int64_t shards = OpenShards(context);
  if (shards + additional <= limit) return std::nullopt;
  return protocol::aws::ApiError(
      "LimitExceededException",
      fmt::format("This request would exceed the shard limit for the account {} in {}. Current shard count for the "
                  "account: {}. Limit: {}. Number of additional shards that would have resulted from this request: {}. "
                  "Refer to the AWS Service Limits page "
                  "(https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how "
                  "to request higher limits.",
                  caller.account, caller.region, shards, limit, additional));
}

}  // namespace sluice::broker::kinesis
