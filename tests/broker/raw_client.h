// A client of the native protocol that sends any bytes and takes messages apart, blocking.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/native/wire.h"

namespace sluice::broker {

class RawClient {
 public:
  struct Message {
    protocol::wire::MessageHeader header;
    std::string control;
    std::string body;
    /// Of an ErrorResponse.
    std::string error() const;
  };

  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Send(std::string_view bytes);
  /// nullopt where the broker has closed the connection.
  std::optional<Message> Receive();
  void CloseWrite();
  void Hello();
  int socket() const { return socket_; }

  static std::string Request(protocol::wire::Operation operation, std::uint64_t correlation_id,
                             std::string_view control, std::string_view body = {});
  static std::string HelloBytes(std::uint32_t version_min = 1, std::uint32_t version_max = 1);
  static std::string Append(std::uint64_t correlation_id, std::uint32_t stream, std::uint32_t shard,
                            std::string_view batch, std::uint32_t ack = 0);

 private:
  bool ReceiveExactly(std::string& out, std::size_t bytes);
  int socket_;
};

}  // namespace sluice::broker
