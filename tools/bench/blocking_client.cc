// Blocking sends and receives over loopback.
#include "tools/bench/blocking_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "protocol/native/wire.h"
#include "tools/bench/native_load.h"

namespace sluice::tools {

namespace wire = protocol::wire;

namespace {
constexpr std::size_t kDiscardBytes = 1u << 20;
}

Result<std::unique_ptr<BlockingClient>> BlockingClient::Connect(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::unique_ptr<BlockingClient> client(new BlockingClient(fd));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Error(Code::kUnavailable, fmt::format("cannot connect to 127.0.0.1:{}: {}", port, std::strerror(errno)));
  }
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (Status sent = client->Send(HelloMessage()); !sent.ok()) return Error(sent);
  if (auto answer = client->Receive(); !answer) return Error(answer.error());
  return client;
}

BlockingClient::~BlockingClient() { close(fd_); }

Status BlockingClient::Send(std::string_view message) {
  while (!message.empty()) {
    const ssize_t sent = send(fd_, message.data(), message.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Status(Code::kUnavailable, "the broker closed the connection");
    message.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status BlockingClient::Fill(char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd_, to, bytes, MSG_WAITALL);
    if (got <= 0) return Status(Code::kUnavailable, "the broker closed the connection");
    to += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return {};
}

Status BlockingClient::Discard(std::uint64_t bytes) {
  discard_.resize(kDiscardBytes);
  while (bytes > 0) {
    const ssize_t got = recv(fd_, discard_.data(), std::min<std::uint64_t>(bytes, kDiscardBytes), 0);
    if (got <= 0) return Status(Code::kUnavailable, "the broker closed the connection");
    bytes -= static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<BlockingClient::Answer> BlockingClient::Receive() {
  std::array<char, wire::kHeaderSize> bytes;
  if (Status status = Fill(bytes.data(), bytes.size()); !status.ok()) return Error(status);
  auto header = wire::DecodeHeader(std::string_view(bytes.data(), bytes.size()));
  if (!header) return Error(header.error());
  Answer answer;
  answer.control.resize(header->control_bytes);
  if (Status status = Fill(answer.control.data(), answer.control.size()); !status.ok()) return Error(status);
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
