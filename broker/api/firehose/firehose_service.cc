// The table of operations. Their context is made here and lives as long as any of them.
#include "broker/api/firehose/firehose_service.h"

#include <memory>
#include <utility>

#include "broker/api/firehose/context.h"
#include "broker/api/firehose/handlers/operations.h"

namespace sluice::broker::firehose {
namespace {

std::vector<aws::Operation> Operations(const Context& context) {
  return {
      CreateDeliveryStream(context), DeleteDeliveryStream(context),          DescribeDeliveryStream(context),
      ListDeliveryStreams(context),  ListTagsForDeliveryStream(context),     PutRecord(context),
      PutRecordBatch(context),       StartDeliveryStreamEncryption(context), StopDeliveryStreamEncryption(context),
      TagDeliveryStream(context),    UntagDeliveryStream(context),           UpdateDestination(context),
  };
}

}  // namespace

aws::Service FirehoseService(const FirehoseParts& parts) {
  const auto context = std::make_shared<const Context>(parts);
  aws::Service service{.target_prefix = "Firehose_20150804",
                       .signing_name = "firehose",
                       .operations = Operations(*context),
                       .wires = {aws::Wire::kJson11}};
  for (aws::Operation& operation : service.operations) {
    operation.run = [context, run = std::move(operation.run)](aws::CallPtr call) { run(std::move(call)); };
  }
  return service;
}

}  // namespace sluice::broker::firehose
