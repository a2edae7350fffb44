// The rates, and a bucket for each account and operation, or each stream where AWS counts by stream.
#include "broker/api/kinesis/call_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {
namespace {

struct Rate {
  std::string_view operation;
  double per_second;
  bool of_stream = false;  // else of the account
};

constexpr std::array kRates = {
    Rate{"AddTagsToStream", 5},
    Rate{"CreateStream", 5},
    Rate{"DeleteStream", 5},
    Rate{"DeregisterStreamConsumer", 5, true},
    Rate{"DescribeAccountSettings", 5},
    Rate{"DescribeLimits", 1},
    Rate{"DescribeStream", 10},
    Rate{"DescribeStreamConsumer", 20, true},
    Rate{"DescribeStreamSummary", 20},
    Rate{"ListShards", 1'000, true},
    Rate{"ListStreamConsumers", 5, true},
    Rate{"ListStreams", 5},
    Rate{"ListTagsForStream", 5},
    Rate{"MergeShards", 5},
    Rate{"RegisterStreamConsumer", 5},
    Rate{"RemoveTagsFromStream", 5},
    Rate{"SplitShard", 5},
    Rate{"UpdateAccountSettings", 5},
    Rate{"UpdateShardCount", 10},
    Rate{"UpdateStreamWarmThroughput", 5},
};

/// Whose bucket a call takes from.
std::string KeyOf(const aws::Call& call, const Rate& rate) {
  std::string key = fmt::format("{}/{}", call.caller().account, rate.operation);
  if (!rate.of_stream) return key;
  for (const std::string_view member : {"StreamName", "StreamARN", "ConsumerARN"}) {
    if (const std::string_view text = TextOf(call, member); !text.empty()) return fmt::format("{}/{}", key, text);
  }
  return key;
}

}  // namespace

void CallLimiter::Limit(aws::Operation& operation) {
  const auto rate = std::ranges::find(kRates, operation.name, &Rate::operation);
  if (rate == kRates.end()) return;
  operation.run = [this, rate = *rate, run = std::move(operation.run)](aws::CallPtr call) {
    if (Take(KeyOf(*call, rate), rate.per_second)) return run(std::move(call));
    call->Fail({"LimitExceededException", fmt::format("Rate exceeded for account {}.", call->caller().account)});
  };
}

bool CallLimiter::Take(std::string key, double per_second) {
  const std::int64_t now_ns = clock_.MonotonicNs();
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= looked_through_at_) {
    std::erase_if(buckets_, [&](const auto& one) { return one.second.IsFull(now_ns); });
    looked_through_at_ = std::max<std::size_t>(64, 2 * buckets_.size());
  }
  return buckets_.try_emplace(std::move(key), per_second).first->second.Take(1, now_ns);
}

}  // namespace sluice::broker::kinesis
