// What DescribeTable and its like say of a table. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/dynamodb/table.h"

namespace sluice::broker::dynamodb {

/// An answer with this one member, "Table" or "TableDescription". `status` is ACTIVE, or DELETING of one that is gone.
std::string DescriptionAnswer(const aws::Call& call, std::string_view member, const Table& table,
                              std::string_view status = "ACTIVE");

}  // namespace sluice::broker::dynamodb
