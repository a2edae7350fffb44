// The operations of Amazon Kinesis Data Streams over the broker's core, as a service for the AWS port. docs/kinesis.md
// says which there are, and where they differ from AWS's on purpose.
//
// Threads: made by one; the operations run where broker/api/aws/operation.h says.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/kinesis_options.h"
#include "broker/api/kinesis/subscriptions.h"
#include "broker/append_service.h"
#include "broker/encryption/keyring.h"
#include "broker/read_service.h"
#include "broker/reshard.h"
#include "broker/retention_holds.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "sluice/status.h"
#include "storage/env/env.h"
#include "storage/log_store.h"
#include "storage/metadata_store.h"

namespace sluice::broker::kinesis {

/// All of it outlives the service.
struct KinesisParts {
  StreamCatalog& catalog;
  Shards& shards;
  const RetentionHolds& holds;
  storage::LogStore& store;
  storage::MetadataStore& metadata;
  AppendService& appends;
  ReadService& reads;
  Keyring& keyring;
  Resharder& resharder;
  storage::Clock& clock;
  storage::Random& random;
  AppendOptions append_options;
  std::set<std::string, std::less<>> accounts{};  // that callers may have
  KinesisOptions options{};
  SubscriptionOptions subscriptions{};
};

/// Reads the key of shard iterators from the metadata store, or makes it there. Blocks; call it before the port opens.
Result<aws::Service> KinesisService(const KinesisParts& parts);

}  // namespace sluice::broker::kinesis
