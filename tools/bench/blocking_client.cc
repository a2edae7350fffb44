// Messages of the native protocol over one socket.
#include "tools/bench/blocking_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/native/wire.h"
#include "tools/bench/native_load.h"

namespace sluice::tools {

namespace wire = protocol::wire;

namespace {
constexpr std::size_t kDiscardBytes = 1u << 20;
}

Result<std::unique_ptr<BlockingClient>> BlockingClient::Connect(std::uint16_t port) {
  auto socket = LoopbackSocket::Connect(port);
  if (!socket) return Error(socket.error());
  std::unique_ptr<BlockingClient> client(new BlockingClient(std::move(*socket)));
  if (Status sent = client->Send(HelloMessage()); !sent.ok()) return Error(sent);
  if (auto answer = client->Receive(); !answer) return Error(answer.error());
  return client;
}

Status BlockingClient::Discard(std::uint64_t bytes) {
  discard_.resize(kDiscardBytes);
  while (bytes > 0) {
    const std::size_t piece = std::min<std::uint64_t>(bytes, kDiscardBytes);
    if (Status status = socket_.ReceiveAll(discard_.data(), piece); !status.ok()) return status;
    bytes -= piece;
  }
  return {};
}

Result<BlockingClient::Answer> BlockingClient::Receive() {
  std::array<char, wire::kHeaderSize> bytes;
  if (Status status = socket_.ReceiveAll(bytes.data(), bytes.size()); !status.ok()) return Error(status);
  auto header = wire::DecodeHeader(std::string_view(bytes.data(), bytes.size()));
  if (!header) return Error(header.error());
  Answer answer;
  answer.control.resize(header->control_bytes);
  if (Status status = socket_.ReceiveAll(answer.control.data(), answer.control.size()); !status.ok())
    return Error(status);
  answer.body_bytes = header->body_bytes;
  if (Status status = Discard(header->body_bytes); !status.ok()) return Error(status);
  if (header->status != Code::kOk) return Error(header->status, fmt::format("the broker refused: {}", answer.control));
  return answer;
}

Result<wire::ReadResponse> BlockingClient::Read(std::uint32_t stream_id, std::uint32_t shard, std::uint64_t offset,
                                                std::uint64_t bytes_max, std::uint64_t& body_bytes) {
  if (Status sent = Send(ReadMessageFor(stream_id, shard, offset, bytes_max, 0)); !sent.ok()) return Error(sent);
  auto answer = Receive();
  if (!answer) return Error(answer.error());
  body_bytes = answer->body_bytes;
  return wire::DecodeReadResponse(answer->control);
}

}  // namespace sluice::tools
