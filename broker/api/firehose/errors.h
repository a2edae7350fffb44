// The errors of Firehose that several operations give, in AWS's words where they are known. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/firehose/delivery_lifecycle.h"
#include "protocol/aws/error.h"
#include "sluice/status.h"

namespace sluice::broker::firehose {

protocol::aws::ApiError InvalidArgument(std::string message);
protocol::aws::ApiError NotFound(std::string_view name, const aws::Caller& caller);
protocol::aws::ApiError AlreadyExists(std::string_view name, const aws::Caller& caller);
/// A change that has to wait for the state ACTIVE.
protocol::aws::ApiError NotActive(DeliveryState state, std::string_view name, const aws::Caller& caller);
/// "Slow down.": clients try again.
protocol::aws::ApiError ServiceUnavailable();
/// Right as such, and not served by this broker.
protocol::aws::ApiError NotServed(std::string_view what);
/// What the keyring answered, and what a log without its keys does: InvalidKMSResourceException.
protocol::aws::ApiError KeyFailure(const Status& why);
/// What the delivery stage answered.
protocol::aws::ApiError FromStatus(const Status& why, std::string_view name, const aws::Caller& caller);

}  // namespace sluice::broker::firehose
