// The operations of Amazon Data Firehose over the delivery stage and the broker's core, as a service for the AWS port.
// docs/firehose.md says what they do, and where they differ from AWS's on purpose.
//
// Threads: made by one; the operations run where broker/api/aws/operation.h says.
#pragma once

#include <memory>

#include "broker/api/aws/operation.h"
#include "broker/api/firehose/firehose_options.h"
#include "broker/api/firehose/put_metrics.h"
#include "broker/append_service.h"
#include "broker/delivery_registry.h"
#include "broker/encryption/keyring.h"
#include "broker/stream_catalog.h"
#include "storage/env/env.h"

namespace sluice::broker::firehose {

/// All of it outlives the service.
struct FirehoseParts {
  StreamCatalog& catalog;
  AppendService& appends;
  DeliveryRegistry& deliveries;
  Keyring& keyring;
  storage::Clock& clock;
  storage::Random& random;
  AppendOptions append_options;
  FirehoseOptions options{};
  std::shared_ptr<PutMetrics> put_metrics = std::make_shared<PutMetrics>();  // what puts are counted in
};

aws::Service FirehoseService(const FirehoseParts& parts);

}  // namespace sluice::broker::firehose
