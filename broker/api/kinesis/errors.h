// The errors of Kinesis that several operations give, in AWS's words. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/stream_lifecycle.h"
#include "protocol/aws/error.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::broker::kinesis {

protocol::aws::ApiError InvalidArgument(std::string message);
protocol::aws::ApiError StreamNotFound(std::string_view stream, const aws::Caller& caller);
/// A number that no shard of the stream has.
protocol::aws::ApiError NoSuchShard(ShardIndex shard, std::string_view stream, const aws::Caller& caller);
/// `shard` as the client sent it.
protocol::aws::ApiError ShardNotFound(std::string_view shard, std::string_view stream, const aws::Caller& caller);
/// "Stream orders under account 123456789012 not ACTIVE, instead in state CREATING".
protocol::aws::ApiError NotActive(StreamState state, std::string_view stream, const aws::Caller& caller);
/// "Rate exceeded for shard shardId-000000000000 in stream orders under account 123456789012."
protocol::aws::ApiError RateExceeded(ShardIndex shard, std::string_view stream, const aws::Caller& caller);
protocol::aws::ApiError ExpiredNextToken();
/// What the broker could not do, through no fault of the request: clients try again.
protocol::aws::ApiError InternalFailure(const Status& why);
/// What the broker's core answered about a stream that was there a moment ago.
protocol::aws::ApiError FromStatus(const Status& why, std::string_view stream, const aws::Caller& caller);

/// The same about the records of a stream, which may be encrypted with a key that the broker does not have any more.
protocol::aws::ApiError RecordsFailure(const Status& why, std::string_view stream, const aws::Caller& caller);
/// Why a stream cannot be encrypted.
protocol::aws::ApiError KeyFailure(const Status& why);

/// The error of a request with DryRun that would have succeeded.
std::optional<protocol::aws::ApiError> CheckDryRun(const aws::Call& call, std::string_view operation);

}  // namespace sluice::broker::kinesis
