// The operations, one file each, the five on channels in channels.cc; kinesis_service.cc has the table of them.
//
// Each function gives its operation: name, input, thread, and what it does, which holds on to `context`.
#pragma once

#include "broker/api/aws/answering.h"
#include "broker/api/kinesis/context.h"

namespace sluice::broker::kinesis {

using aws::Answering;

aws::Operation AddTagsToStream(const Context& context);
aws::Operation CreateChannel(const Context& context);
aws::Operation CreateStream(const Context& context);
aws::Operation DecreaseStreamRetentionPeriod(const Context& context);
aws::Operation DeleteChannel(const Context& context);
aws::Operation DeleteResourcePolicy(const Context& context);
aws::Operation DeleteStream(const Context& context);
aws::Operation DeregisterStreamConsumer(const Context& context);
aws::Operation DescribeAccountSettings(const Context& context);
aws::Operation DescribeChannel(const Context& context);
aws::Operation DescribeLimits(const Context& context);
aws::Operation DescribeStream(const Context& context);
aws::Operation DescribeStreamConsumer(const Context& context);
aws::Operation DescribeStreamSummary(const Context& context);
aws::Operation DisableEnhancedMonitoring(const Context& context);
aws::Operation EnableEnhancedMonitoring(const Context& context);
aws::Operation GetRecords(const Context& context);
aws::Operation GetResourcePolicy(const Context& context);
aws::Operation GetShardIterator(const Context& context);
aws::Operation IncreaseStreamRetentionPeriod(const Context& context);
aws::Operation ListChannels(const Context& context);
aws::Operation ListShards(const Context& context);
aws::Operation ListStreamConsumers(const Context& context);
aws::Operation ListStreams(const Context& context);
aws::Operation ListTagsForResource(const Context& context);
aws::Operation ListTagsForStream(const Context& context);
aws::Operation MergeShards(const Context& context);
aws::Operation PutRecord(const Context& context);
aws::Operation PutRecords(const Context& context);
aws::Operation PutResourcePolicy(const Context& context);
aws::Operation RegisterStreamConsumer(const Context& context);
aws::Operation RemoveTagsFromStream(const Context& context);
aws::Operation SplitShard(const Context& context);
aws::Operation StartStreamEncryption(const Context& context);
aws::Operation StopStreamEncryption(const Context& context);
aws::Operation SubscribeToShard(const Context& context);
aws::Operation TagResource(const Context& context);
aws::Operation UntagResource(const Context& context);
aws::Operation UpdateAccountSettings(const Context& context);
aws::Operation UpdateChannel(const Context& context);
aws::Operation UpdateMaxRecordSize(const Context& context);
aws::Operation UpdateShardCount(const Context& context);
aws::Operation UpdateStreamMode(const Context& context);
aws::Operation UpdateStreamRecordDistributionStrategy(const Context& context);
aws::Operation UpdateStreamWarmThroughput(const Context& context);

}  // namespace sluice::broker::kinesis
