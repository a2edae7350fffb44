// From expressions to trees, by recursive descent. Grammar as in DynamoDB's documentation; reserved words may be used
// as names of attributes, which DynamoDB refuses. Functions and words (AND, SET) are told from attributes by their
// place.
//
// Expressions have 4 KiB and 300 operators at most, and nest 64 deep. Thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "broker/api/dynamodb/errors.h"
#include "broker/api/dynamodb/expression/expression.h"
#include "broker/api/dynamodb/expression/placeholders.h"

namespace sluice::broker::dynamodb {

/// One expression of a request. `parameter` is the request's name for it: "FilterExpression".
struct ExpressionText {
  std::string_view parameter;
  std::string_view text;
  Placeholders& holders;
};

/// ConditionExpression, FilterExpression, KeyConditionExpression.
ApiResult<Condition> ParseCondition(const ExpressionText& expression);
/// UpdateExpression.
ApiResult<Update> ParseUpdate(const ExpressionText& expression);
/// ProjectionExpression.
ApiResult<std::vector<Path>> ParseProjection(const ExpressionText& expression);

}  // namespace sluice::broker::dynamodb
