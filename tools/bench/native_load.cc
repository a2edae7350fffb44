// Messages for the load generator, built once by the project's own codecs.
#include "tools/bench/native_load.h"

#include "protocol/batch.h"
#include "protocol/native/data_messages.h"
#include "protocol/native/native.pb.h"
#include "protocol/native/wire.h"
#include "tools/bench/json_lines.h"

namespace sluice::tools {

namespace wire = protocol::wire;

namespace {
constexpr double kWarmUpSeconds = 3;
}

std::string HelloMessage() {
  native::HelloRequest hello;
  hello.set_version_min(wire::kVersionMin);
  hello.set_version_max(wire::kVersionMax);
  hello.set_client_name("sluice-bench");
  std::string out;
  wire::MessageHeader header;
  header.operation = wire::Operation::kHello;
  wire::AppendMessage(header, hello.SerializeAsString(), {}, out);
  return out;
}

std::string AppendMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::size_t records,
                             std::size_t record_bytes, Ack ack, std::uint64_t seed) {
  protocol::BatchBuilder builder;
  for (std::size_t i = 0; i < records; ++i) builder.Add(1'770'000'000'000, "key", JsonLine(seed + i, record_bytes));
  std::string batch;
  builder.Finish(batch);
  const wire::AppendRequest request{stream_id, shard, static_cast<std::uint32_t>(ack)};
  wire::MessageHeader header;
  header.version = wire::kVersionMax;
  header.operation = wire::Operation::kAppend;
  std::string out;
  wire::AppendMessage(header, wire::Encode(request).view(), batch, out);
  return out;
}

std::string ReadMessageFor(std::uint32_t stream_id, std::uint32_t shard, std::uint64_t offset, std::uint64_t bytes_max,
                           std::uint32_t wait_ms) {
  wire::ReadRequest request;
  request.stream_id = stream_id;
  request.shard = shard;
  request.from = wire::ReadFrom::kOffset;
  request.offset = offset;
  request.bytes_max = bytes_max;
  request.wait_ms = wait_ms;
  wire::MessageHeader header;
  header.version = wire::kVersionMax;
  header.operation = wire::Operation::kRead;
  std::string out;
  wire::AppendMessage(header, wire::Encode(request).view(), {}, out);
  return out;
}

Result<std::size_t> AnswerSize(std::string_view bytes) {
  if (bytes.size() < wire::kHeaderSize) return std::size_t{0};
  auto header = wire::DecodeHeader(bytes);
  if (!header) return Error(header.error());
  if (header->status != Code::kOk) {
    native::ErrorResponse error;
    error.ParseFromString(std::string(bytes.substr(wire::kHeaderSize, header->control_bytes)));
    return Error(header->status, error.message());
  }
  return header->total_size();
}

LoadOptions NativeLoad(std::uint16_t port) {
  LoadOptions load;
  load.port = port;
  load.greeting = HelloMessage();
  load.answer_size = AnswerSize;
  return load;
}

LoadOptions AppendLoad(std::uint16_t port, std::uint32_t stream_id, std::uint32_t shards, std::size_t records,
                       Ack ack) {
  LoadOptions load = NativeLoad(port);
  load.connections = shards;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    load.requests.push_back(AppendMessageFor(stream_id, shard, records, kRecordBytes, ack));
  }
  return load;
}

Status WarmUp(const BrokerProcess& broker, std::uint32_t stream_id, std::uint32_t shards) {
  constexpr std::size_t kBatchRecords = 64;
  LoadOptions load = AppendLoad(broker.native_port(), stream_id, shards, kBatchRecords);
  load.connections = 16;
  load.depth = 2;
  load.seconds = kWarmUpSeconds;
  auto result = RunLoad(load);
  return result ? broker.WaitUntilWritten() : result.error();
}

}  // namespace sluice::tools
