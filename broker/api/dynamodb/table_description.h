// What DescribeTable and its like say of a table. Thread-safe.
#pragma once

#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/table.h"

namespace sluice::broker::dynamodb {

/// The value of the answer's Table or TableDescription. `status` is ACTIVE, or DELETING of one that is gone.
void WriteDescription(protocol::aws::Writer& writer, const Table& table, const aws::Caller& caller,
                      std::string_view status = "ACTIVE");

}  // namespace sluice::broker::dynamodb
