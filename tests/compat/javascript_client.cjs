// The JavaScript SDK v3 with its default transport (HTTP/2) against the broker at COMPAT_ENDPOINT: a stream's life, records in both
// directions, operations that other SDKs do not have yet, an error. javascript_test.py runs it; any throw ends it with a code other than 0.
const assert = require('node:assert/strict');
const {createRequire} = require('node:module');
const sdk = createRequire(process.env.COMPAT_MODULES)('@aws-sdk/client-kinesis');
const {watch} = require('./javascript_watch.cjs');

const client = new sdk.KinesisClient({
  endpoint: process.env.COMPAT_ENDPOINT,
  region: 'eu-central-1',
  credentials: {accessKeyId: process.env.COMPAT_ACCESS_KEY, secretAccessKey: process.env.COMPAT_SECRET_KEY},
  maxAttempts: 1,
});
const seen = watch(client);

async function iterator(place) {
  const answer = await client.send(new sdk.GetShardIteratorCommand(
      {StreamName: 'js', ShardId: 'shardId-000000000000', ...place}));
  return answer.ShardIterator;
}

async function data(place) {
  const page = await client.send(new sdk.GetRecordsCommand({ShardIterator: await iterator(place)}));
  return page.Records.map((record) => Buffer.from(record.Data).toString());
}

// Subscribes from a position until there are `count` records; what they are, and where to go on.
async function follow(StreamARN, ConsumerName, StartingPosition, count) {
  const {Consumer} = await client.send(new sdk.RegisterStreamConsumerCommand({StreamARN, ConsumerName}));
  const {EventStream} = await client.send(new sdk.SubscribeToShardCommand(
      {ConsumerARN: Consumer.ConsumerARN, ShardId: 'shardId-000000000000', StartingPosition}));
  const texts = [];
  for await (const {SubscribeToShardEvent: event} of EventStream) {
    assert(event, 'an event of another kind');
    texts.push(...event.Records.map((record) => Buffer.from(record.Data).toString()));
    if (texts.length >= count) return {texts, next: event.ContinuationSequenceNumber};
  }
  assert.fail(`the subscription ended after ${texts.length} records`);
}

// Everything that is there, then what is put meanwhile, from exactly behind it.
async function fanOut(StreamARN, there) {
  const {texts, next} = await follow(StreamARN, 'first', {Type: 'TRIM_HORIZON'}, there.length);
  assert.deepEqual(texts, there);
  const later = Array.from({length: 20}, (_, i) => `later ${i}`);
  const following = follow(StreamARN, 'second', {Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: next}, later.length);
  for (const text of later) {
    await client.send(new sdk.PutRecordCommand({StreamName: 'js', PartitionKey: 'k', Data: Buffer.from(text)}));
  }
  assert.deepEqual((await following).texts, later);
}

// Leaves no record: main() reads what is there afterwards.
async function dryRun() {
  const record = {PartitionKey: 'k', Data: Buffer.from('dry')};
  for (const command of [new sdk.PutRecordCommand({StreamName: 'js', DryRun: true, ...record}),
                         new sdk.PutRecordsCommand({StreamName: 'js', DryRun: true, Records: [record]})]) {
    await assert.rejects(client.send(command), sdk.DryRunOperationException);
  }
}

async function recordDistribution(StreamARN) {
  await client.send(new sdk.UpdateStreamModeCommand({StreamARN, StreamModeDetails: {StreamMode: 'ON_DEMAND'}}));
  await client.send(new sdk.UpdateStreamRecordDistributionStrategyCommand({StreamARN, RecordDistributionStrategy: 'AUTO'}));
  const {StreamDescriptionSummary: summary} = await client.send(new sdk.DescribeStreamSummaryCommand({StreamARN}));
  assert.equal(summary.RecordDistributionStrategy, 'AUTO');
  const put = await client.send(new sdk.PutRecordCommand({StreamARN, Data: Buffer.from('without a key')}));
  assert.equal(put.ShardId, 'shardId-000000000000');
}

async function channels() {
  await assert.rejects(client.send(new sdk.ListChannelsCommand({})), {name: 'UnknownOperationException', message: /not there yet/});
}

async function main() {
  await client.send(new sdk.CreateStreamCommand({StreamName: 'js', ShardCount: 1}));
  await sdk.waitUntilStreamExists({client, maxWaitTime: 20}, {StreamName: 'js'});
  const {StreamDescriptionSummary: summary} =
      await client.send(new sdk.DescribeStreamSummaryCommand({StreamName: 'js'}));
  assert.equal(summary.StreamARN, 'arn:aws:kinesis:eu-central-1:' + summary.StreamARN.split(':')[4] + ':stream/js');
  assert(summary.StreamCreationTimestamp instanceof Date);
  await dryRun();

  const one = await client.send(new sdk.PutRecordCommand({StreamName: 'js', PartitionKey: 'k', Data: Buffer.from('one')}));
  const Records = Array.from({length: 100}, (_, i) => ({PartitionKey: `key-${i}`, Data: Buffer.from(`value ${i}`)}));
  const many = await client.send(new sdk.PutRecordsCommand({StreamName: 'js', Records}));
  assert.equal(many.FailedRecordCount, 0);
  const values = Records.map((record) => record.Data.toString());
  assert.deepEqual(await data({ShardIteratorType: 'TRIM_HORIZON'}), ['one', ...values]);
  assert.deepEqual(await data({ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: one.SequenceNumber}), values);
  assert.deepEqual(await data({ShardIteratorType: 'AT_TIMESTAMP', Timestamp: summary.StreamCreationTimestamp}), ['one', ...values]);
  assert.deepEqual(await data({ShardIteratorType: 'LATEST'}), []);

  await fanOut(summary.StreamARN, ['one', ...values]);

  // Many requests at one time on one connection.
  const answers = await Promise.all(values.map((_, i) => client.send(new sdk.PutRecordCommand(
      {StreamName: 'js', PartitionKey: 'k', Data: Buffer.alloc(20_000, i)}))));
  assert.equal(new Set(answers.map((answer) => answer.SequenceNumber)).size, values.length);

  await recordDistribution(summary.StreamARN);
  await channels();

  await client.send(new sdk.DeleteStreamCommand({StreamName: 'js', EnforceConsumerDeletion: true}));
  await assert.rejects(client.send(new sdk.DescribeStreamCommand({StreamName: 'js'})), sdk.ResourceNotFoundException);
  const version = process.env.COMPAT_ENDPOINT.startsWith('https:') ? 'h2' : 'h2c';
  assert.deepEqual([...seen], [`${version} application/x-amz-json-1.1`]);
}

main().then(() => process.exit());  // the subscriptions that were left would keep it for a minute
