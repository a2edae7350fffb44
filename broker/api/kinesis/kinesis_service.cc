// The table of operations. Their context is made here and lives as long as any of them.
#include "broker/api/kinesis/kinesis_service.h"

#include <memory>
#include <utility>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/token_key.h"

namespace sluice::broker::kinesis {
namespace {

std::vector<aws::Operation> Operations(const Context& context) {
  return {
      AddTagsToStream(context),
      CreateChannel(context),
      CreateStream(context),
      DecreaseStreamRetentionPeriod(context),
      DeleteChannel(context),
      DeleteResourcePolicy(context),
      DeleteStream(context),
      DeregisterStreamConsumer(context),
      DescribeAccountSettings(context),
      DescribeChannel(context),
      DescribeLimits(context),
      DescribeStream(context),
      DescribeStreamConsumer(context),
      DescribeStreamSummary(context),
      DisableEnhancedMonitoring(context),
      EnableEnhancedMonitoring(context),
      GetRecords(context),
      GetResourcePolicy(context),
      GetShardIterator(context),
      IncreaseStreamRetentionPeriod(context),
      ListChannels(context),
      ListShards(context),
      ListStreamConsumers(context),
      ListStreams(context),
      ListTagsForResource(context),
      ListTagsForStream(context),
      MergeShards(context),
      PutRecord(context),
      PutRecords(context),
      PutResourcePolicy(context),
      RegisterStreamConsumer(context),
      RemoveTagsFromStream(context),
      SplitShard(context),
      StartStreamEncryption(context),
      StopStreamEncryption(context),
      SubscribeToShard(context),
      TagResource(context),
      UntagResource(context),
      UpdateAccountSettings(context),
      UpdateChannel(context),
      UpdateMaxRecordSize(context),
      UpdateShardCount(context),
      UpdateStreamMode(context),
      UpdateStreamRecordDistributionStrategy(context),
      UpdateStreamWarmThroughput(context),
  };
}

}  // namespace

Result<aws::Service> KinesisService(const KinesisParts& parts) {
  const auto key = LoadOrMakeTokenKey(parts.metadata);
  if (!key) return Error(key.error());
  const auto context = std::make_shared<const Context>(parts, *key);
  aws::Service service{
      .target_prefix = "Kinesis_20131202", .signing_name = "kinesis", .operations = Operations(*context)};
  for (aws::Operation& operation : service.operations) {
    if (parts.options.call_limits) context->call_limiter->Limit(operation);
    operation.run = [context, run = std::move(operation.run)](aws::CallPtr call) { run(std::move(call)); };
  }
  return service;
}

}  // namespace sluice::broker::kinesis
