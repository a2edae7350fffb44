// The operations, one file each; firehose_service.cc has the table of them.
//
// Each function gives its operation: name, input, thread, and what it does, which holds on to `context`.
#pragma once

#include "broker/api/aws/answering.h"
#include "broker/api/firehose/context.h"

namespace sluice::broker::firehose {

using aws::Answering;

aws::Operation CreateDeliveryStream(const Context& context);
aws::Operation DeleteDeliveryStream(const Context& context);
aws::Operation DescribeDeliveryStream(const Context& context);
aws::Operation ListDeliveryStreams(const Context& context);
aws::Operation ListTagsForDeliveryStream(const Context& context);
aws::Operation PutRecord(const Context& context);
aws::Operation PutRecordBatch(const Context& context);
aws::Operation StartDeliveryStreamEncryption(const Context& context);
aws::Operation StopDeliveryStreamEncryption(const Context& context);
aws::Operation TagDeliveryStream(const Context& context);
aws::Operation UntagDeliveryStream(const Context& context);
aws::Operation UpdateDestination(const Context& context);

}  // namespace sluice::broker::firehose
