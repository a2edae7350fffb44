// The rates, and a bucket for each account and operation, or each stream where AWS counts by stream.
#include "broker/api/kinesis/call_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/next_token.h"
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
    Rate{"DecreaseStreamRetentionPeriod", 5, true},
    Rate{"DeleteResourcePolicy", 5},
    Rate{"DeleteStream", 5},
    Rate{"DeregisterStreamConsumer", 5, true},
    Rate{"DescribeAccountSettings", 5},
    Rate{"DescribeLimits", 1},
    Rate{"DescribeStream", 10},
    Rate{"DescribeStreamConsumer", 20, true},
    Rate{"DescribeStreamSummary", 20},
    Rate{"DisableEnhancedMonitoring", 5, true},
    Rate{"EnableEnhancedMonitoring", 5, true},
    Rate{"GetResourcePolicy", 5},
    Rate{"IncreaseStreamRetentionPeriod", 5, true},
    Rate{"ListShards", 1'000, true},
    Rate{"ListStreamConsumers", 5, true},
    Rate{"ListStreams", 5},
    Rate{"ListTagsForResource", 5},
    Rate{"ListTagsForStream", 5},
    Rate{"MergeShards", 5},
    Rate{"PutResourcePolicy", 5},
    Rate{"RegisterStreamConsumer", 5},
    Rate{"RemoveTagsFromStream", 5},
    Rate{"SplitShard", 5},
    Rate{"StartStreamEncryption", 5},
    Rate{"StopStreamEncryption", 5},
    Rate{"TagResource", 5},
    Rate{"UntagResource", 5},
    Rate{"UpdateAccountSettings", 5},
    Rate{"UpdateMaxRecordSize", 5},
    Rate{"UpdateShardCount", 10},
    Rate{"UpdateStreamMode", 5},
    Rate{"UpdateStreamRecordDistributionStrategy", 5},
    Rate{"UpdateStreamWarmThroughput", 5},
};

/// The stream that a call is about, however it names it; empty where that is none.
std::string StreamOf(const aws::Call& call, const TokenKey& key) {
  if (const auto consumer = ConsumerInCall(call)) return std::string(consumer->stream.name);
  const std::string_view text = TextOf(call, "NextToken");
  if (auto token = DecodeNextToken(text, NextToken::Of::kShards, key)) return std::move(token->stream);
  const auto stream = StreamInCall(call);
  return stream ? std::string(stream->name) : std::string();
}

/// Whose bucket a call takes from. A stream is the same one for all accounts.
std::string KeyOf(const aws::Call& call, const Rate& rate, const TokenKey& key) {
  return fmt::format("{}/{}", rate.operation, rate.of_stream ? StreamOf(call, key) : call.caller().account);
}

}  // namespace

void CallLimiter::Limit(aws::Operation& operation) {
  const auto rate = std::ranges::find(kRates, operation.name, &Rate::operation);
  if (rate == kRates.end()) return;
  operation.run = [this, rate = *rate, run = std::move(operation.run)](aws::CallPtr call) {
    if (Take(KeyOf(*call, rate, key_), rate.per_second)) return run(std::move(call));
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
