// Sockets, and a broker's behaviour in miniature.
#include "tests/client/fake_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "protocol/batch.h"
#include "protocol/check.h"
#include "protocol/frame.h"
#include "protocol/hash_key.h"
#include "protocol/native/native.pb.h"

namespace sluice::test {

using protocol::wire::MessageHeader;
using protocol::wire::MessageKind;
using protocol::wire::Operation;

Peer::~Peer() {
  if (socket_ >= 0) ::close(socket_);
}

void Peer::Answer(const Message& request, std::string_view control, std::string_view body) {
  MessageHeader header = request.header;
  header.kind = MessageKind::kResponse;
  std::string bytes;
  protocol::wire::AppendMessage(header, control, body, bytes);
  SendRaw(bytes);
}

void Peer::Refuse(const Message& request, Code code, std::string_view message) {
  MessageHeader header = request.header;
  header.kind = MessageKind::kResponse;
  header.status = code;
  native::ErrorResponse error;
  error.set_message(std::string(message));
  std::string bytes;
  protocol::wire::AppendMessage(header, error.SerializeAsString(), {}, bytes);
  SendRaw(bytes);
}

void Peer::SendRaw(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Peer::Break() { ::shutdown(socket_, SHUT_RDWR); }

bool Peer::ReceiveExactly(char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t received = ::recv(socket_, to, size, 0);
    if (received <= 0) return false;
    to += received;
    size -= static_cast<std::size_t>(received);
  }
  return true;
}

bool Peer::Receive(Message& message) {
  protocol::wire::HeaderBytes raw;
  if (!ReceiveExactly(raw.data(), raw.size())) return false;
  const auto header = protocol::wire::DecodeHeader({raw.data(), raw.size()});
  SLUICE_CHECK(header.has_value());
  message.header = *header;
  message.control.resize(header->control_bytes);
  message.body.resize(header->body_bytes);
  if (!ReceiveExactly(message.control.data(), message.control.size())) return false;
  SLUICE_CHECK(protocol::wire::VerifyControl(*header, {raw.data(), raw.size()}, message.control).ok());
  return ReceiveExactly(message.body.data(), message.body.size());
}

FakeBroker::FakeBroker(std::uint32_t shards) : shards_(shards) {
  for (const auto& range : protocol::ShardMap::Uniform(shards).ranges()) states_.push_back({range, {}});
  Listen();
}

FakeBroker::~FakeBroker() {
  GoAway();
  for (std::thread& thread : threads_) thread.join();
}

void FakeBroker::Listen() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  SLUICE_CHECK(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  SLUICE_CHECK(::listen(listener, 64) == 0);
  socklen_t size = sizeof address;
  SLUICE_CHECK(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::lock_guard lock(mutex_);
  port_ = ntohs(address.sin_port);
  listener_ = listener;
  threads_.emplace_back([this, listener] { Accept(listener); });
}

void FakeBroker::Accept(int listener) {
  for (;;) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) break;
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto peer = std::make_shared<Peer>(socket);
    const std::lock_guard lock(mutex_);
    if (listener_ != listener) break;
    peers_.push_back(peer);
    threads_.emplace_back([this, peer] { Talk(peer); });
    changed_.notify_all();
  }
  ::close(listener);
}

void FakeBroker::GoAway() {
  const std::lock_guard lock(mutex_);
  if (listener_ >= 0) ::shutdown(listener_, SHUT_RDWR);
  listener_ = -1;
  for (const auto& weak : peers_) {
    if (const PeerPtr peer = weak.lock()) peer->Break();
  }
  waiting_reads_.clear();
}

void FakeBroker::ComeBack() { Listen(); }

void FakeBroker::SetScript(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

void FakeBroker::Talk(const PeerPtr& peer) {
  Message message;
  while (peer->Receive(message)) {
    Script script;
    {
      const std::lock_guard lock(mutex_);
      ++messages_[message.header.operation];
      script = script_;
      changed_.notify_all();
    }
    if (!script || !script(peer, message)) Serve(peer, message);
  }
  peer->Break();
}

void FakeBroker::Serve(const PeerPtr& peer, const Message& message) {
  const std::lock_guard lock(mutex_);
  switch (message.header.operation) {
    case Operation::kHello: {
      native::HelloResponse hello;
      hello.set_version(1);
      peer->Answer(message, hello.SerializeAsString());
      break;
    }
    case Operation::kDescribeStream:
      Describe(peer, message);
      break;
    case Operation::kInitProducer:
      InitProducer(peer, message);
      break;
    case Operation::kAppend:
      Append(peer, message);
      AnswerWaitingReads();
      break;
    case Operation::kRead:
      if (!Read(peer, message)) waiting_reads_.push_back({peer, message});
      break;
    default:
      peer->Refuse(message, Code::kUnimplemented, "not in this broker");
  }
}

void FakeBroker::Describe(const PeerPtr& peer, const Message& message) {
  native::DescribeStreamRequest request;
  SLUICE_CHECK(request.ParseFromString(message.control));
  if (stream_id_ == 0 || request.name() != "orders") {
    return peer->Refuse(message, Code::kNotFound, "stream '" + request.name() + "' does not exist");
  }
  native::StreamInfo info;
  info.set_stream_id(stream_id_);
  info.set_name("orders");
  for (const ShardState& state : states_) {
    native::ShardInfo* shard = state.closed ? info.add_closed_shards() : info.add_shards();
    shard->set_shard(state.range.shard.value);
    shard->set_hash_first_high(state.range.first.high);
    shard->set_hash_first_low(state.range.first.low);
    shard->set_hash_last_high(state.range.last.high);
    shard->set_hash_last_low(state.range.last.low);
    shard->set_end_offset(EndOffset(state.range.shard.value));
    if (!state.parents.empty()) shard->set_parent(state.parents.front());
    if (state.parents.size() > 1) shard->set_adjacent_parent(state.parents.back());
    if (state.closed) shard->set_closed_ms(1'000);
  }
  peer->Answer(message, info.SerializeAsString());
}

void FakeBroker::InitProducer(const PeerPtr& peer, const Message& message) {
  native::InitProducerRequest request;
  SLUICE_CHECK(request.ParseFromString(message.control));
  if (request.name().empty()) {
    ++producer_id_;
  } else {
    ++producer_epoch_;
    for (auto& [key, next] : next_sequence_) next = 0;
  }
  native::InitProducerResponse response;
  response.set_producer_id(producer_id_);
  response.set_epoch(producer_epoch_);
  peer->Answer(message, response.SerializeAsString());
}

void FakeBroker::Append(const PeerPtr& peer, const Message& message) {
  const auto request = protocol::wire::DecodeAppendRequest(message.control);
  SLUICE_CHECK(request.has_value());
  const auto refuse = [&](Code code, std::string_view why) { peer->Refuse(message, code, why); };
  if (request->stream_id != stream_id_) return refuse(Code::kNotFound, "stream 7 does not exist or was deleted");
  const auto batch = protocol::VerifyBatch(message.body);
  if (!batch) return refuse(Code::kCorruption, batch.error().message());
  protocol::wire::AppendResponse response{.base_offset = 0, .append_time_ms = 1'000, .duplicate = false};
  if (batch->idempotent()) {
    if (batch->producer_epoch < producer_epoch_) return refuse(Code::kFenced, "a newer producer is at work");
    std::int32_t& next = next_sequence_[{request->shard, batch->producer_id}];
    for (const StoredBatch& stored : shards_.at(request->shard)) {
      if (stored.producer_id != batch->producer_id || stored.base_sequence != batch->base_sequence) continue;
      if (batch->base_sequence >= next) continue;  // of an older epoch
      response.base_offset = stored.base_offset;
      response.duplicate = true;
      return peer->Answer(message, Encode(response).view());
    }
    if (states_.at(request->shard).closed) return refuse(Code::kShardClosed, "the shard was split or merged");
    if (batch->base_sequence != next) return refuse(Code::kFailedPrecondition, "there is a gap in the sequence");
    next += batch->record_count;
  }
  if (states_.at(request->shard).closed) return refuse(Code::kShardClosed, "the shard was split or merged");
  response.base_offset = StoreLocked(request->shard, {0, static_cast<std::uint32_t>(batch->record_count), message.body,
                                                      batch->producer_id, batch->base_sequence});
  if (request->ack != 2) peer->Answer(message, Encode(response).view());
}

std::uint64_t FakeBroker::StoreLocked(std::uint32_t shard, StoredBatch batch) {
  batch.base_offset = EndOffset(shard);
  protocol::SetBaseOffset(batch.bytes, Offset(batch.base_offset));
  shards_.at(shard).push_back(std::move(batch));
  changed_.notify_all();
  return shards_.at(shard).back().base_offset;
}

std::uint64_t FakeBroker::EndOffset(std::uint32_t shard) const {
  const auto& batches = shards_.at(shard);
  return batches.empty() ? 0 : batches.back().base_offset + batches.back().records;
}

void FakeBroker::Store(std::uint32_t shard, const std::vector<std::string>& values) {
  const std::lock_guard lock(mutex_);
  protocol::BatchBuilder builder;
  for (const std::string& value : values) builder.Add(5, "key", value);
  StoredBatch batch;
  batch.records = static_cast<std::uint32_t>(values.size());
  builder.Finish(batch.bytes);
  StoreLocked(shard, std::move(batch));
  AnswerWaitingReads();
}

// False where there is nothing to read yet and the reader will wait.
bool FakeBroker::Read(const PeerPtr& peer, const Message& message) {
  using protocol::wire::ReadFrom;
  const auto request = protocol::wire::DecodeReadRequest(message.control);
  SLUICE_CHECK(request.has_value());
  if (request->stream_id != stream_id_) {
    peer->Refuse(message, Code::kNotFound, "stream 7 does not exist or was deleted");
    return true;
  }
  const auto& batches = shards_.at(request->shard);
  const std::uint64_t end = EndOffset(request->shard);
  const std::uint64_t from = request->from == ReadFrom::kLatest ? end : request->offset;
  if (from > end) {
    peer->Refuse(message, Code::kOutOfRange, "the offset is past the end");
    return true;
  }
  protocol::wire::ReadResponse response{
      .next_offset = from, .oldest_offset = 0, .end_offset = end, .first_offset = from};
  std::string body;
  for (const StoredBatch& batch : batches) {
    if (batch.base_offset + batch.records <= from) continue;
    if (!body.empty() && body.size() + batch.bytes.size() > request->bytes_max) break;
    protocol::FrameBuffer buffer(batch.bytes.size());
    std::copy(batch.bytes.begin(), batch.bytes.end(), buffer.batch().begin());
    protocol::FrameHeader header;
    header.shard = {StreamId(stream_id_), ShardIndex(request->shard)};
    header.base_offset = Offset(batch.base_offset);
    header.record_count = batch.records;
    header.append_time_ms = 1'000;
    body.append(protocol::Frame::Seal(std::move(buffer), header).bytes());
    response.next_offset = batch.base_offset + batch.records;
  }
  response.closed = states_.at(request->shard).closed;
  if (body.empty() && request->wait_ms > 0 && !response.closed) return false;
  peer->Answer(message, Encode(response).view(), body);
  return true;
}

void FakeBroker::Split(std::uint32_t shard) {
  const std::lock_guard lock(mutex_);
  states_.at(shard).closed = true;
  const protocol::ShardRange range = states_.at(shard).range;
  // The middle of ranges whose lower ends have nothing in the low half of their bits.
  const protocol::HashKey middle{range.first.high + (range.last.high - range.first.high) / 2 + 1, 0};
  AddChild(range.first, {middle.high - 1, ~std::uint64_t{0}}, {shard});
  AddChild(middle, range.last, {shard});
  AnswerWaitingReads();
}

void FakeBroker::Merge(std::uint32_t lower, std::uint32_t upper) {
  const std::lock_guard lock(mutex_);
  states_.at(lower).closed = states_.at(upper).closed = true;
  AddChild(states_.at(lower).range.first, states_.at(upper).range.last, {lower, upper});
  AnswerWaitingReads();
}

void FakeBroker::AddChild(protocol::HashKey first, protocol::HashKey last, std::vector<std::uint32_t> parents) {
  const ShardIndex shard(static_cast<std::uint32_t>(shards_.size()));
  shards_.emplace_back();
  states_.push_back({{shard, first, last}, std::move(parents)});
}

void FakeBroker::AnswerWaitingReads() {
  std::erase_if(waiting_reads_, [this](const WaitingRead& waiting) { return Read(waiting.peer, waiting.message); });
}

std::vector<std::string> FakeBroker::Values(std::uint32_t shard) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> values;
  for (const StoredBatch& batch : shards_.at(shard)) {
    std::string scratch;
    auto reader = protocol::BatchReader::Open(batch.bytes, scratch);
    SLUICE_CHECK(reader.has_value());
    for (auto record = reader->Next(); record.value() != nullptr; record = reader->Next()) {
      values.emplace_back((*record)->value.value_or(""));
    }
  }
  return values;
}

void FakeBroker::DeleteStream(bool anew) {
  const std::lock_guard lock(mutex_);
  stream_id_ = anew ? stream_id_ + 1 : 0;
  for (auto& shard : shards_) shard.clear();
  AnswerWaitingReads();
}

void FakeBroker::ForgetProducers() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, next] : next_sequence_) next = 0;
}

void FakeBroker::Fence() {
  const std::lock_guard lock(mutex_);
  ++producer_epoch_;
}

bool FakeBroker::WaitForMessages(Operation operation, std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return messages_[operation] >= count; });
}

std::size_t FakeBroker::messages(Operation operation) {
  const std::lock_guard lock(mutex_);
  return messages_[operation];
}

std::size_t FakeBroker::connections() {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

}  // namespace sluice::test
