// One blocking connection to the native port, for workloads that measure one exchange at a time. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/native/data_messages.h"
#include "sluice/status.h"
#include "tools/bench/loopback_socket.h"

namespace sluice::tools {

class BlockingClient {
 public:
  /// Connects and exchanges hellos.
  static Result<std::unique_ptr<BlockingClient>> Connect(std::uint16_t port);

  Status Send(std::string_view message) { return socket_.Send(message); }
  struct Answer {
    std::string control;
    std::uint64_t body_bytes = 0;  // received and thrown away
  };
  Result<Answer> Receive();
  /// A read and its answer.
  Result<protocol::wire::ReadResponse> Read(std::uint32_t stream_id, std::uint32_t shard, std::uint64_t offset,
                                            std::uint64_t bytes_max, std::uint64_t& body_bytes);

 private:
  explicit BlockingClient(LoopbackSocket socket) : socket_(std::move(socket)) {}
  Status Discard(std::uint64_t bytes);

  LoopbackSocket socket_;
  std::string discard_;
};

}  // namespace sluice::tools
