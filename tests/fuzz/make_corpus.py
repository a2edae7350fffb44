#!/usr/bin/env python3
"""Writes the inputs that the fuzz targets start from into tests/fuzz/corpus/; run it from the top of the tree."""

import base64
import gzip
import hashlib
import json
import os
import struct

CORPUS = "tests/fuzz/corpus"
COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"]
BATCH_HEADER_SIZE = 61


def write(target, name, content):
    os.makedirs(f"{CORPUS}/{target}", exist_ok=True)
    with open(f"{CORPUS}/{target}/{name}", "wb") as file:
        file.write(content)


def batches():
    """The batches that Kafka's own client made: whole, their records alone, and behind a frame's header."""
    with open("tests/protocol/data/kafka_batches.txt", encoding="ascii") as lines:
        vectors = {name: bytes.fromhex(digits) for name, digits in map(str.split, lines)}
    for name, batch in vectors.items():
        write("batch", f"kafka_{name}", batch)
        write("client_answer", f"kafka_{name}", b"\x00" + batch)  # byte 0: where reading starts
    for number, name in enumerate(COMPRESSIONS):
        write("decompress", name, bytes([number]) + vectors[name][BATCH_HEADER_SIZE:])
    write("decompress", "snappy_plain", b"\x02\x03\x08abc")
    write("decompress", "gzip_two_members", b"\x01" + gzip.compress(b"first", mtime=0) + gzip.compress(b"second", mtime=0))
    batch = vectors["none"]
    header = struct.pack("<4sBBHIIQIIqQQQ", b"SLF1", 1, 0, 0, 7, 3, 41, 3, len(batch), 1700000000000, 41, 0, 0)
    write("frame", "kafka_none", header + batch)


def sealed_batches():
    """The sealed example of protocol/BATCH.md: whole, and its records section alone."""
    with open("protocol/BATCH.md", encoding="utf-8") as page:
        block = page.read().split("```hex sealed\n")[1].split("```")[0]
    batch = bytes.fromhex("".join(line.split("#")[0] for line in block.splitlines()))
    write("sealed_batch", "page", batch)
    write("sealed_batch", "too_short", batch[:BATCH_HEADER_SIZE + 32])


def texts():
    for number, text in enumerate([
            "49543463076548007577105092703039560359975228518395019266", "49549167410956685081233009822320176730553508082787287058",
            "49646437577175378652512468275300102539007575381589884978", "0"]):
        write("sequence_number", str(number), text.encode())
    largest = 2**128 - 1
    for name, text in {"zero": "0", "max": str(largest), "over": str(largest + 1), "leading": "01"}.items():
        write("hash_key", name, text.encode())
    for name, text in {"padded": "Zm9vYg==", "plain": "Zm9v", "not_canonical": "Zm9vYh=="}.items():
        write("base64", name, text.encode())


def native_messages():
    """A header, then a control part: stream 7, shard 3 and an ack or a position."""
    append = bytes.fromhex("080710031801")
    read = bytes.fromhex("080710032080808080800138808001")
    for name, operation, control in (("append", 2, append), ("read", 3, read), ("empty", 1, b"")):
        header = struct.pack("<4sBBHQHHIII", b"SLN1", 1, 1, operation, 9, 0, 0, len(control), 0, 0)
        write("native_wire", name, header + control)
        write("message_reader", name, b"\x01\x05\x00\x20" + header + control)  # in front: where it is cut
    write("message_reader", "large_body", b"\xff\xff\xff\xff" + bytes(40_000))


def native_groups():
    """Operations by their place behind JoinGroup: two members of a group of stream 1, "orders"."""
    member = [b"\x19" + struct.pack("<Q", number) for number in (1, 2)]
    by_name, by_id = b"\x0a\x06orders\x12\x01g", b"\x08\x01\x12\x01g"
    timeouts = b"\x22\x01m\x28\x90\x4e\x30\xb0\xea\x01"  # named m, 10 s and 30 s
    join = [(0, by_name + one + timeouts + b"\x3a\x02\x08\x01") for one in member]
    commit = (2, by_id + member[0] + b"\x22\x06\x08\x00\x10\x01\x18\x64" + b"\x22\x08\x08\x01\x10\x01\x18\x05\x28\x01")
    inputs = {
        "join": join[:1],
        "share": [*join, (1, by_id + member[0] + b"\x20\x07"), commit, (4, by_name), (5, b"")],
        "end": [*join[:1], commit, (6, by_name), (3, by_id + member[0]), (7, by_name + b"\x1a\x02\x20\x02\x20\x01"), (6, by_name)],
    }
    for name, messages in inputs.items():
        write("native_groups", name, b"".join(struct.pack("<BH", operation, len(control)) + control for operation, control in messages))
    for name, operation, control in (("join_group", 13, join[0][1]), ("commit_checkpoints", 15, commit[1])):
        write("native_wire", name, struct.pack("<4sBBHQHHIII", b"SLN1", 1, 1, operation, 9, 0, 0, len(control), 0, 0) + control)


def aws_documents():
    record = '{"Data":"Zm9vYg==","PartitionKey":"k\\u00e9y"}'
    write("aws_document", "put_records.json", f'{{"StreamName":"orders","Records":[{record},{record}]}}'.encode())
    write("aws_document", "kinds.json", b'{"a":[1,-2.5,1e3,true,null,{}],"b":"c"}')
    for name, digits in {"kinds": "bf6161831a000f4240fb3ff199999999999af56162c11b00000153e2db26d06163f6ff",
                         "pieces": "a261615f42010243030405ff61627f657374726561646d696e67ff",
                         "put_record": "bf64446174614403010203ff"}.items():
        write("aws_document", f"{name}.cbor", bytes.fromhex(digits))


KINESIS_ARN = '"arn:aws:kinesis:us-east-1:000000000000:stream/s"'
CONSUMER_ARN = KINESIS_ARN[:-1] + '/consumer/c:0"'
CHANNEL_ARN = '"arn:aws:kinesis:us-east-1:000000000000:channel/c"'
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": ["111111111111", "arn:aws:iam::000000000000:user/test"]},
     "Action": ["kinesis:Put*", "kinesis:Get?ecords"], "Resource": json.loads(KINESIS_ARN)}]}
KINESIS_INPUTS = {
    "AddTagsToStream": '{"StreamName":"s","Tags":{"a":"b","c":""}}',
    "CreateChannel": f'{{"ChannelName":"c","StreamConfigurationList":[{{"StreamARN":{KINESIS_ARN}}}],'
                     '"S3DestinationConfiguration":{"StorageConfiguration":{"BucketARN":"arn:aws:s3:::b"}}}',
    "CreateStream": '{"StreamName":"t","ShardCount":3,"StreamModeDetails":{"StreamMode":"PROVISIONED"},"Tags":{"a":"b"},"MaxRecordSizeInKiB":2048}',
    "DecreaseStreamRetentionPeriod": '{"StreamName":"s","RetentionPeriodHours":24}',
    "DeleteChannel": f'{{"ChannelARN":{CHANNEL_ARN}}}',
    "DeleteStream": f'{{"StreamARN":{KINESIS_ARN},"EnforceConsumerDeletion":true}}',
    "DescribeChannel": f'{{"ChannelARN":{CHANNEL_ARN}}}',
    "DescribeLimits": "{}",
    "DescribeStream": '{"StreamName":"s","Limit":1,"ExclusiveStartShardId":"shardId-0"}',
    "DescribeStreamSummary": f'{{"StreamName":"s","StreamARN":{KINESIS_ARN}}}',
    "GetRecords": '{"ShardIterator":"AAAAAAAAAAE=","Limit":1}',
    "GetShardIterator": '{"StreamName":"s","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5}',
    "IncreaseStreamRetentionPeriod": '{"StreamName":"s","RetentionPeriodHours":48}',
    "ListShards": '{"StreamName":"s","MaxResults":1,"ShardFilter":{"Type":"AFTER_SHARD_ID","ShardId":"0"}}',
    "ListStreams": '{"Limit":1,"ExclusiveStartStreamName":"a"}',
    "DeregisterStreamConsumer": f'{{"ConsumerARN":{CONSUMER_ARN}}}',
    "DescribeStreamConsumer": f'{{"StreamARN":{KINESIS_ARN},"ConsumerName":"c"}}',
    "ListStreamConsumers": f'{{"StreamARN":{KINESIS_ARN},"MaxResults":1,"NextToken":"AAAA"}}',
    "RegisterStreamConsumer": f'{{"StreamARN":{KINESIS_ARN},"ConsumerName":"d","Tags":{{"a":"1"}}}}',
    "SubscribeToShard": f'{{"ConsumerARN":{CONSUMER_ARN},"ShardId":"shardId-000000000000",'
                        '"StartingPosition":{"Type":"AT_TIMESTAMP","Timestamp":0}}',
    "ListTagsForResource": f'{{"ResourceARN":{KINESIS_ARN}}}',
    "ListTagsForStream": '{"StreamName":"s","Limit":1,"ExclusiveStartTagKey":"a"}',
    "DeleteResourcePolicy": f'{{"ResourceARN":{KINESIS_ARN}}}',
    "DescribeAccountSettings": "{}",
    "DisableEnhancedMonitoring": '{"StreamName":"s","ShardLevelMetrics":["IncomingBytes","ALL"]}',
    "EnableEnhancedMonitoring": '{"StreamName":"s","ShardLevelMetrics":["OutgoingBytes",null]}',
    "GetResourcePolicy": f'{{"ResourceARN":{KINESIS_ARN}}}',
    "ListChannels": '{"MaxResults":1}',
    "MergeShards": '{"StreamName":"s","ShardToMerge":"shardId-0","AdjacentShardToMerge":"shardId-1"}',
    "PutRecord": '{"StreamName":"s","PartitionKey":"k","Data":"aGVsbG8=","ExplicitHashKey":"0","SequenceNumberForOrdering":"0"}',
    "PutRecords": '{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"aGVsbG8="},{"PartitionKey":"l","Data":"","ExplicitHashKey":"1"}]}',
    "PutResourcePolicy": json.dumps({"ResourceARN": json.loads(KINESIS_ARN), "Policy": json.dumps(POLICY)}),
    "RemoveTagsFromStream": '{"StreamName":"s","TagKeys":["a",null]}',
    "SplitShard": '{"StreamName":"s","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"7"}',
    "StartStreamEncryption": '{"StreamName":"s","EncryptionType":"KMS","KeyId":"alias/aws/kinesis"}',
    "StopStreamEncryption": f'{{"StreamARN":{KINESIS_ARN},"EncryptionType":"KMS","KeyId":"key-1"}}',
    "TagResource": f'{{"ResourceARN":{KINESIS_ARN},"Tags":{{"a":null}}}}',
    "UntagResource": f'{{"ResourceARN":{KINESIS_ARN},"TagKeys":["a"]}}',
    "UpdateAccountSettings": '{"MinimumThroughputBillingCommitment":{"Status":"ENABLED"}}',
    "UpdateChannel": f'{{"ChannelARN":{CHANNEL_ARN},"DataFreshness":300}}',
    "UpdateMaxRecordSize": f'{{"StreamARN":{KINESIS_ARN},"MaxRecordSizeInKiB":2048}}',
    "UpdateShardCount": '{"StreamName":"s","TargetShardCount":3,"ScalingType":"UNIFORM_SCALING"}',
    "UpdateStreamMode": f'{{"StreamARN":{KINESIS_ARN},"StreamModeDetails":{{"StreamMode":"ON_DEMAND"}}}}',
    "UpdateStreamRecordDistributionStrategy": '{"StreamName":"s","RecordDistributionStrategy":"AUTO"}',
    "UpdateStreamWarmThroughput": '{"StreamName":"s","WarmThroughputMiBps":5}',
}

FIREHOSE_DESTINATION = json.dumps({
    "RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::b", "Prefix": "a/!{timestamp:yyyy}/",
    "ErrorOutputPrefix": "e/!{firehose:error-output-type}/", "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
    "CompressionFormat": "UNCOMPRESSED", "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
    "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": "g", "LogStreamName": "s"},
    "ProcessingConfiguration": {"Enabled": True, "Processors": [
        {"Type": "AppendDelimiterToRecord", "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}]},
        {"Type": "CloudWatchLogProcessing", "Parameters": [{"ParameterName": "DataMessageExtraction", "ParameterValue": "true"}]},
        {"Type": "RecordDeAggregation", "Parameters": [
            {"ParameterName": "SubRecordType", "ParameterValue": "DELIMITED"}, {"ParameterName": "Delimiter", "ParameterValue": "Cg=="}]},
        {"Type": "Decompression"}]},
    "S3BackupMode": "Disabled", "DynamicPartitioningConfiguration": {"Enabled": False, "RetryOptions": {"DurationInSeconds": 1}},
    "DataFormatConversionConfiguration": {
        "Enabled": True, "SchemaConfiguration": {"DatabaseName": "d", "TableName": "t"},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {"ColumnToJsonKeyMappings": {"a": "b"}}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "GZIP"}}}},
    "FileExtension": ".x", "CustomTimeZone": "Europe/Berlin"})
FIREHOSE_INPUTS = {
    "CreateDeliveryStream": f'{{"DeliveryStreamName":"n","ExtendedS3DestinationConfiguration":{FIREHOSE_DESTINATION},'
                            '"Tags":[{"Key":"a","Value":"b"},null]}',
    "DeleteDeliveryStream": '{"DeliveryStreamName":"d","AllowForceDelete":true}',
    "DescribeDeliveryStream": '{"DeliveryStreamName":"k","Limit":1,"ExclusiveStartDestinationId":"a"}',
    "ListDeliveryStreams": '{"Limit":1,"DeliveryStreamType":"DirectPut","ExclusiveStartDeliveryStreamName":"a"}',
    "ListTagsForDeliveryStream": '{"DeliveryStreamName":"d","ExclusiveStartTagKey":"a","Limit":1}',
    "PutRecord": '{"DeliveryStreamName":"d","Record":{"Data":"aGVsbG8="}}',
    "PutRecordBatch": '{"DeliveryStreamName":"d","Records":[{"Data":"aGVsbG8="},{"Data":""}]}',
    "StartDeliveryStreamEncryption": '{"DeliveryStreamName":"d","DeliveryStreamEncryptionConfigurationInput":{"KeyType":"AWS_OWNED_CMK"}}',
    "StopDeliveryStreamEncryption": '{"DeliveryStreamName":"d"}',
    "TagDeliveryStream": '{"DeliveryStreamName":"d","Tags":[{"Key":"a"}]}',
    "UntagDeliveryStream": '{"DeliveryStreamName":"d","TagKeys":["a",null]}',
    "UpdateDestination": '{"DeliveryStreamName":"d","CurrentDeliveryStreamVersionId":"1","DestinationId":"destinationId-000000000001",'
                         '"ExtendedS3DestinationUpdate":{"Prefix":"b/","S3BackupUpdate":{"Prefix":"c/"}}}',
}


def cbor(value, name=""):
    """As AWS's SDKs send it: indefinite lengths, Data as bytes, Timestamp as tag 1."""

    def head(major, number):
        if number < 24:
            return bytes([major << 5 | number])
        return bytes([major << 5 | 24, number]) if number < 256 else bytes([major << 5 | 25]) + struct.pack(">H", number)

    if name == "Data":
        data = base64.b64decode(value)
        return head(2, len(data)) + data
    if name == "Timestamp":
        return b"\xc1" + cbor(int(value * 1000))
    if value is None or value is True:
        return b"\xf6" if value is None else b"\xf5"
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, list):
        return b"\x9f" + b"".join(map(cbor, value)) + b"\xff"
    return b"\xbf" + b"".join(cbor(key) + cbor(member, key) for key, member in value.items()) + b"\xff"


def kinesis():
    """One input of each operation, Kinesis' in both encodings; tokens as they are under their seal (broker/api/kinesis/TOKENS.md)."""
    for name, text in KINESIS_INPUTS.items():
        line = name.encode() + b"\n"
        write("kinesis_input", f"{name}.json", line + text.encode())
        write("kinesis_input", f"{name}.cbor", line + cbor(json.loads(text)))
    for name, text in FIREHOSE_INPUTS.items():
        write("firehose_input", name, name.encode() + b"\n" + text.encode())
    write("kinesis_policy", "allow", json.dumps(POLICY).encode())
    write("kinesis_policy", "deny", json.dumps(POLICY | {"Statement": POLICY["Statement"][0] | {"Effect": "Deny"}}).encode())
    iterator = struct.pack(">QBBHIIQqQ", 1, 1, len("orders"), 0, 7, 3, 41, 1_700_000_000_000, 5) + b"orders"
    write("kinesis_token", "iterator", iterator.ljust(184 - 32, b"\0"))
    write("kinesis_token", "shards", struct.pack(">BqIBq", 2, 1_700_000_000_000, 9, 2, 1_600_000_000_000) + b"orders")
    write("kinesis_token", "streams", struct.pack(">BqIBq", 1, 1_700_000_000_000, 0, 0, 0) + b"orders")


def kpl_aggregates():
    """A message with two keys and three records, alone and as a whole aggregate."""
    message = b"\n\x01a\n\x02bc\x12\x010\x1a\x07\x08\x00\x1a\x03one\x1a\x08\x08\x01\x10\x00\x1a\x02\x00\xff\x1a\x04\x08\x00\x1a\x00"
    write("kpl_aggregate", "message", message)
    write("kpl_aggregate", "whole", b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest())


def aws_signatures():
    """One part of a request per line: method, path, query, headers."""
    with open("tests/protocol/aws/data/signatures.txt", encoding="ascii") as lines:
        for request in map(json.loads, lines):
            headers = [f"{name}:{value}" for name, value in request["headers"]]
            parts = [request["method"], request["path"], request["query"]] + headers
            write("aws_signature", request["name"].replace(" ", "_"), "\n".join(parts).encode())


def http_sessions():
    """Requests behind four bytes that say how they are cut; HTTP/2 as frames: length, type, flags, stream, payload."""
    body = b'{"Text":"a"}'
    line = b"POST /a?b=1 HTTP/1.1\r\nHost: localhost\r\n"
    length = line + b"X-Amz-Target: Test_1.Echo\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for name, text in {"length": length, "two": length + length, "chunks": line + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                       "expect": line + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "head": b"HEAD / HTTP/1.0\r\n\r\n"}.items():
        write("http1_session", name, b"\x01\x05\x00\x20" + text)

    def frame(kind, flags, stream, payload=b""):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    # HPACK: POST, http, / and localhost of the static table, and a literal without indexing.
    header = b"\x83\x86\x84\x01\x09localhost" + b"\x00\x0cx-amz-target\x0bTest_1.Echo"
    settings = frame(4, 0, 0) + frame(4, 1, 0)
    post = frame(1, 4, 1, header) + frame(0, 1, 1, body)
    for name, frames in {"post": settings + post, "reset": settings + frame(1, 4, 1, header) + frame(3, 0, 1, bytes(4)),
                         "two": settings + frame(1, 5, 1, header) + frame(1, 4, 3, header) + frame(0, 0, 3, body) + frame(0, 1, 3, body),
                         "control": settings + frame(6, 0, 0, bytes(8)) + frame(8, 0, 0, b"\0\0\1\0") + frame(7, 0, 0, bytes(8)),
                         "large": settings + frame(1, 4, 1, header) + frame(0, 0, 1, bytes(1_500))}.items():
        write("http2_session", name, b"\x01\x40\x03\x20" + frames)


def event_streams():
    """How long the type is, whether it is an exception's, the type, the payload."""
    write("event_stream", "event", b"\x0a\x00ResourceIn{\"Records\":[]}")
    write("event_stream", "exception", b"\x03\x01abc{\"message\":\"x\"}")


def delivery():
    with open("tools/data/flights-delivery.json", "rb") as file:
        write("delivery_config", "flights.json", file.read())
    write("delivery_config", "small.yaml", b"DeliveryStreamName: orders\nExtendedS3DestinationConfiguration:\n  BucketARN: arn:aws:s3:::lake\n"
          b"  Prefix: year=!{timestamp:yyyy}/\n  BufferingHints: {SizeInMBs: 1, IntervalInSeconds: 60}\n")
    for name, text in {"type": "struct<a:int,b:map<string,decimal(9,2)>>", "format": "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
                       "prefix": "a/!{timestamp:yyyy/MM/dd}/!{firehose:random-string}/",
                       "error_prefix": "e/!{firehose:error-output-type}/!{timestamp:DDD}"}.items():
        write("delivery_config", name, text.encode())


    # A zone file without transitions, with a rule for summer time; its data stands twice, for 32 and for 64 bits.
    block = b"TZif2" + bytes(15) + struct.pack(">6I", 0, 0, 0, 0, 1, 4) + struct.pack(">iBB", 3600, 0, 0) + b"CET\0"
    write("delivery_config", "zone", block + block + b"\nCET-1CEST,M3.5.0,M10.5.0/3\n")


def processing():
    """Which processors run, then records: gzip data, documents of CloudWatch Logs, objects, delimited parts; all of them in one."""
    events = ",".join(f'{{"id":"{i}","timestamp":1,"message":"{{\\"a\\":{i}}}{{}}"}}' for i in range(3))
    document = f'{{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{events}]}}'.encode()
    control = b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}'
    packed = gzip.compress(document, mtime=0)
    for name, content in {
            "gzip": b"\x00" + packed, "gzip_two_members": b"\x00" + packed + gzip.compress(b"", mtime=0),
            "documents": b"\x01" + document + b"\x1e" + control, "objects": b'\x02{"a":"}{"}\n{"b":[1]} {}\x1e[{}]',
            "delimited": b"\x03a;;b;;;;c;;\x1e;;\x1e", "all": b"\x04" + packed, "all_inside": b"\x05" + document + b"\x1e" + control}.items():
        write("processing", name, content)


def lambda_answers():
    for name, records in {
            "all_results": [{"recordId": "a", "result": "Ok", "data": "eA==", "metadata": {"partitionKeys": {"k": "v", "n": 1}}},
                            {"recordId": "b", "result": "Dropped"}, {"recordId": "c", "result": "ProcessingFailed", "data": ""}],
            "repeated": [{"recordId": "b", "result": "Ok", "data": ""}] * 2, "not_base64": [{"recordId": "c", "result": "Ok", "data": "e"}]}.items():
        write("lambda_answer", name, json.dumps({"records": records}).encode())
    write("lambda_answer", "failed", json.dumps({"errorMessage": "broken", "errorType": "KeyError"}).encode())


def storage():
    """Headers of a page each, by magic and version; the checksums cannot be right here."""
    for name, magic in {"journal": b"SLJ1", "group": b"SLG1", "segment": b"SLS1", "index": b"SLI1"}.items():
        write("storage_format", name, (magic + b"\x01").ljust(128, b"\0"))
    write("storage_format", "name", b"00000007-00000003-00000000000003e8.seg")


if __name__ == "__main__":
    batches()
    sealed_batches()
    texts()
    native_messages()
    native_groups()
    aws_documents()
    aws_signatures()
    http_sessions()
    event_streams()
    kinesis()
    kpl_aggregates()
    delivery()
    processing()
    lambda_answers()
    storage()
