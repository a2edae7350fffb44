// Sockets of POSIX.
#include "tests/broker/aws/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/catch.h"

namespace sluice::broker::aws {

HttpClient::HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
}

HttpClient::~HttpClient() { ::close(socket_); }

void HttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the broker has closed the connection, which the next Receive tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string HttpClient::ReceiveSome() {
  std::string bytes(64u << 10, '\0');
  const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::optional<HttpClient::Answer> HttpClient::Receive() {
  const auto receive_until = [this](auto enough) {
    while (!enough()) {
      const std::string more = ReceiveSome();
      if (more.empty()) return false;
      ahead_ += more;
    }
    return true;
  };
  if (!receive_until([this] { return ahead_.find("\r\n\r\n") != std::string::npos; })) return std::nullopt;
  Answer answer;
  answer.head = ahead_.substr(0, ahead_.find("\r\n\r\n") + 4);
  answer.status = std::atoi(answer.head.c_str() + answer.head.find(' '));
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t length = answer.head.find(kLength);
  REQUIRE(length != std::string::npos);
  const auto body_bytes = static_cast<std::size_t>(std::atol(answer.head.c_str() + length + kLength.size()));
  const std::size_t whole = answer.head.size() + body_bytes;
  if (!receive_until([&] { return ahead_.size() >= whole; })) return std::nullopt;
  answer.body = ahead_.substr(answer.head.size(), body_bytes);
  ahead_.erase(0, whole);
  return answer;
}

std::string HttpClient::Post(std::string_view operation, std::string_view body, std::string_view more_fields) {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
      "X-Amz-Target: Test_1.{}\r\n{}Content-Length: {}\r\n\r\n{}",
      operation, more_fields, body.size(), body);
}

}  // namespace sluice::broker::aws
