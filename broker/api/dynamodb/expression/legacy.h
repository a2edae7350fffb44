// The older form of conditions and updates, which came before expressions; KCL uses it for its leases. It becomes the
// same trees. Thread-safe.
#pragma once

#include <optional>

#include "broker/api/dynamodb/errors.h"
#include "broker/api/dynamodb/expression/expression.h"
#include "protocol/aws/document.h"

namespace sluice::broker::dynamodb {

/// Expected, with ConditionalOperator; nullopt where the input has none.
ApiResult<std::optional<Condition>> ReadExpected(protocol::aws::Value input);

/// `member` is KeyConditions, QueryFilter or ScanFilter, with ConditionalOperator; nullopt where the input has none.
ApiResult<std::optional<Condition>> ReadConditions(protocol::aws::Value input, std::string_view member);

/// AttributeUpdates; nullopt where the input has none.
ApiResult<std::optional<Update>> ReadAttributeUpdates(protocol::aws::Value input);

/// AttributesToGet; nullopt where the input has none.
ApiResult<std::optional<std::vector<Path>>> ReadAttributesToGet(protocol::aws::Value input);

}  // namespace sluice::broker::dynamodb
