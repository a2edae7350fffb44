// The JavaScript SDK v3 of Firehose against the broker at COMPAT_ENDPOINT: a delivery stream's life, records, an error.
// javascript_test.py runs it; any throw ends it with a code other than 0.
const assert = require('node:assert/strict');
const {createRequire} = require('node:module');
const sdk = createRequire(process.env.COMPAT_MODULES)('@aws-sdk/client-firehose');
const {watch} = require('./javascript_watch.cjs');

const client = new sdk.FirehoseClient({
  endpoint: process.env.COMPAT_ENDPOINT,
  region: 'eu-central-1',
  credentials: {accessKeyId: process.env.COMPAT_ACCESS_KEY, secretAccessKey: process.env.COMPAT_SECRET_KEY},
  maxAttempts: 1,
});
const seen = watch(client);

const DeliveryStreamName = 'js';

async function describe() {
  const answer = await client.send(new sdk.DescribeDeliveryStreamCommand({DeliveryStreamName}));
  return answer.DeliveryStreamDescription;
}

async function main() {
  const {DeliveryStreamARN} = await client.send(new sdk.CreateDeliveryStreamCommand({
    DeliveryStreamName,
    ExtendedS3DestinationConfiguration: {
      RoleARN: 'arn:aws:iam::000000000000:role/firehose', BucketARN: 'arn:aws:s3:::js', Prefix: 'a/'},
  }));
  assert.equal(DeliveryStreamARN, 'arn:aws:firehose:eu-central-1:000000000000:deliverystream/js');
  const one = await client.send(new sdk.PutRecordCommand({DeliveryStreamName, Record: {Data: Buffer.from('one')}}));
  assert.ok(one.RecordId);
  const Records = Array.from({length: 500}, (_, i) => ({Data: Buffer.from(`record ${i}`)}));
  const many = await client.send(new sdk.PutRecordBatchCommand({DeliveryStreamName, Records}));
  assert.equal(many.FailedPutCount, 0);
  assert.equal(new Set(many.RequestResponses.map((response) => response.RecordId)).size, 500);
  const before = await describe();
  assert.ok(before.CreateTimestamp instanceof Date);
  await client.send(new sdk.UpdateDestinationCommand({
    DeliveryStreamName, CurrentDeliveryStreamVersionId: before.VersionId,
    DestinationId: before.Destinations[0].DestinationId, ExtendedS3DestinationUpdate: {CompressionFormat: 'GZIP'},
  }));
  const after = await describe();
  assert.equal(after.VersionId, '2');
  assert.equal(after.Destinations[0].ExtendedS3DestinationDescription.Prefix, 'a/');
  assert.deepEqual((await client.send(new sdk.ListDeliveryStreamsCommand({}))).DeliveryStreamNames, ['js']);
  await client.send(new sdk.DeleteDeliveryStreamCommand({DeliveryStreamName}));
  await assert.rejects(describe(), (error) => error instanceof sdk.ResourceNotFoundException);
  assert.deepEqual([...seen], ['http/1.1 application/x-amz-json-1.1']);
}

main().then(() => console.log('kept: the JavaScript SDK of Firehose'));
