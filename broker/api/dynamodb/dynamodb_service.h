// The part of Amazon DynamoDB that the Kinesis Client Library keeps its leases, metrics of workers and leader in, as a
// service for the AWS port. docs/kinesis.md says which operations there are, and where they differ from AWS's.
//
// Threads: made by one; the operations run where broker/api/aws/operation.h says.
#pragma once

#include "broker/api/aws/operation.h"
#include "sluice/status.h"
#include "storage/env/env.h"
#include "storage/metadata_store.h"

namespace sluice::broker::dynamodb {

/// All of it outlives the service.
struct DynamodbParts {
  storage::MetadataStore& metadata;
  storage::Clock& clock;
  storage::Random& random;
};

/// Reads the tables from the metadata store. Blocks; call it before the port opens.
Result<aws::Service> DynamodbService(const DynamodbParts& parts);

}  // namespace sluice::broker::dynamodb
