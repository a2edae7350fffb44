// The errors of DynamoDB, in its words. Thread-safe.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "protocol/aws/error.h"
#include "sluice/status.h"

namespace sluice::broker::dynamodb {

using protocol::aws::ApiError;
template <typename T>
using ApiResult = std::expected<T, ApiError>;

ApiError Validation(std::string message);
/// "One or more parameter values were invalid: .."
ApiError InvalidParameter(std::string_view what);
/// A value of a type that JSON has and the operation does not expect there.
ApiError Serialization(std::string message);
/// Where an item was asked for.
ApiError TableNotFound();
/// Where the table itself was asked for.
ApiError TableNotFound(std::string_view table);
ApiError TableInUse(std::string message);
ApiError LimitExceeded(std::string message);
ApiError ConditionFailed();
/// What the broker could not do, through no fault of the request: clients try again.
ApiError InternalError(const Status& why);

/// "com.amazonaws.dynamodb.v20120810#NAME".
std::string ErrorType(std::string_view name);

}  // namespace sluice::broker::dynamodb
