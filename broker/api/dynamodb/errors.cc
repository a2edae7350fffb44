// One function per error.
#include "broker/api/dynamodb/errors.h"

#include <fmt/format.h>

namespace sluice::broker::dynamodb {

std::string ErrorType(std::string_view name) { return fmt::format("com.amazonaws.dynamodb.v20120810#{}", name); }

ApiError Validation(std::string message) { return {"ValidationException", std::move(message)}; }

ApiError InvalidParameter(std::string_view what) {
  return Validation(fmt::format("One or more parameter values were invalid: {}", what));
}

ApiError Serialization(std::string message) { return {"SerializationException", std::move(message)}; }

ApiError TableNotFound() { return {ErrorType("ResourceNotFoundException"), "Requested resource not found"}; }

ApiError TableNotFound(std::string_view table) {
  return {ErrorType("ResourceNotFoundException"),
          fmt::format("Requested resource not found: Table: {} not found", table)};
}

ApiError TableInUse(std::string message) { return {ErrorType("ResourceInUseException"), std::move(message)}; }

ApiError LimitExceeded(std::string message) { return {ErrorType("LimitExceededException"), std::move(message)}; }

ApiError ConditionFailed() { return {ErrorType("ConditionalCheckFailedException"), "The conditional request failed"}; }

ApiError InternalError(const Status& why) { return {ErrorType("InternalServerError"), why.message(), 500}; }

}  // namespace sluice::broker::dynamodb
