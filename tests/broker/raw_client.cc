// Plain sockets.
#include "tests/broker/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/native/data_messages.h"
#include "protocol/native/native.pb.h"
#include "tests/catch.h"

namespace sluice::broker {

namespace wire = protocol::wire;

std::string RawClient::Message::error() const {
  ::sluice::native::ErrorResponse response;
  return response.ParseFromString(control) ? response.message() : "no ErrorResponse";
}

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

RawClient::~RawClient() { ::close(socket_); }

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the broker has closed: what Receive says
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawClient::ReceiveExactly(std::string& out, std::size_t bytes) {
  out.resize(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t received = ::recv(socket_, out.data() + have, bytes - have, 0);
    if (received <= 0) return false;
    have += static_cast<std::size_t>(received);
  }
  return true;
}

std::optional<RawClient::Message> RawClient::Receive() {
  std::string header_bytes;
  if (!ReceiveExactly(header_bytes, wire::kHeaderSize)) return std::nullopt;
  const auto header = wire::DecodeHeader(header_bytes);
  REQUIRE(header.has_value());
  Message message{*header, {}, {}};
  REQUIRE(ReceiveExactly(message.control, header->control_bytes));
  REQUIRE(ReceiveExactly(message.body, header->body_bytes));
  REQUIRE(wire::VerifyControl(*header, header_bytes, message.control).ok());
  return message;
}

void RawClient::CloseWrite() { ::shutdown(socket_, SHUT_WR); }

std::string RawClient::Request(wire::Operation operation, std::uint64_t correlation_id, std::string_view control,
                               std::string_view body) {
  std::string bytes;
  wire::AppendMessage({.operation = operation, .correlation_id = correlation_id}, control, body, bytes);
  return bytes;
}

std::string RawClient::HelloBytes(std::uint32_t version_min, std::uint32_t version_max) {
  ::sluice::native::HelloRequest hello;
  hello.set_version_min(version_min);
  hello.set_version_max(version_max);
  return Request(wire::Operation::kHello, 0, hello.SerializeAsString());
}

std::string RawClient::Append(std::uint64_t correlation_id, std::uint32_t stream, std::uint32_t shard,
                              std::string_view batch, std::uint32_t ack) {
  const auto control = wire::Encode(wire::AppendRequest{.stream_id = stream, .shard = shard, .ack = ack});
  return Request(wire::Operation::kAppend, correlation_id, control.view(), batch);
}

void RawClient::Hello() {
  Send(HelloBytes());
  const auto answer = Receive();
  REQUIRE(answer.has_value());
  REQUIRE(answer->header.status == Code::kOk);
}

}  // namespace sluice::broker
