// What operations take out of their input. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/expression/expression.h"
#include "broker/api/dynamodb/expression/placeholders.h"
#include "broker/api/dynamodb/table_store.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::dynamodb {

/// TableName or ResourceArn: a name or an ARN.
const protocol::aws::Shape& TableShape();
/// A map that the operation reads itself.
const protocol::aws::Shape& MapShape();
const protocol::aws::Shape& AnyShape();
const protocol::aws::Shape& TextShape();
const protocol::aws::Shape& BooleanShape();
/// A structure with TableName, which is needed.
protocol::aws::Shape TableInputShape();

std::string_view TextOf(protocol::aws::Value input, std::string_view member);
bool IsTrue(protocol::aws::Value input, std::string_view member);
std::optional<std::int64_t> IntegerOf(protocol::aws::Value input, std::string_view member);

/// The table of `input`'s TableName, for its items.
ApiResult<TablePtr> TableOf(const TableStore& store, protocol::aws::Value input);
/// A map of attributes, Key or Item; empty where it is absent.
ApiResult<Item> ItemOf(protocol::aws::Value input, std::string_view member);

/// The condition of a write: ConditionExpression or Expected; nullopt where there is none. ValidationException where
/// both forms are used.
ApiResult<std::optional<Condition>> ConditionOf(protocol::aws::Value input, Placeholders& holders);
/// ProjectionExpression or AttributesToGet; nullopt: all.
ApiResult<std::optional<std::vector<Path>>> ProjectionOf(protocol::aws::Value input, Placeholders& holders);

/// ValidationException where a request has members of both forms.
ApiResult<void> CheckOneForm(protocol::aws::Value input);

/// ConditionalCheckFailedException, with the item where ReturnValuesOnConditionCheckFailure asks for it.
ApiError ConditionFailedError(protocol::aws::Value input, const Item* old);

}  // namespace sluice::broker::dynamodb
