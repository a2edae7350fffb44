// What the Kinesis operations work with. All of it outlives the service and may be used from any thread.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/api/aws/answering.h"
#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/call_limiter.h"
#include "broker/api/kinesis/consumer_lifecycle.h"
#include "broker/api/kinesis/kinesis_service.h"
#include "broker/api/kinesis/page_memory.h"
#include "broker/api/kinesis/shard_throttle.h"
#include "broker/api/kinesis/stream_lifecycle.h"
#include "broker/api/kinesis/subscriptions.h"
#include "broker/api/kinesis/token_seal.h"

namespace sluice::broker::kinesis {

struct Context {
  KinesisParts parts;
  TokenKey token_key;
  std::shared_ptr<PageMemory> pages = std::make_shared<PageMemory>(std::uint64_t{256} << 20);
  std::shared_ptr<StreamLifecycle> lifecycle = std::make_shared<StreamLifecycle>(parts.options, parts.clock);
  std::shared_ptr<ConsumerLifecycle> consumer_lifecycle =
      std::make_shared<ConsumerLifecycle>(parts.options, parts.clock);
  std::shared_ptr<CallLimiter> call_limiter = std::make_shared<CallLimiter>(parts.clock, token_key);
  std::shared_ptr<ShardThrottle> throttle =  // nullptr: none
      parts.options.shard_limits ? std::make_shared<ShardThrottle>(parts.clock) : nullptr;
  std::shared_ptr<Subscriptions> subscriptions = std::make_shared<Subscriptions>(parts.subscriptions);
};

using aws::ApiResult;

}  // namespace sluice::broker::kinesis
