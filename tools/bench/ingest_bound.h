// The bound of the ingest path: a server on loopback that does nothing but the unavoidable work, as fast as this
// machine can.
//
// It takes frames {u32 length, u32 CRC32C, payload} and checks the CRC, or Kinesis' puts over HTTP and decodes them,
// copies the payload to one buffer, writes the buffer to a zero-filled, recycled file, flushes it where asked, and
// answers: 16 bytes a frame, or what Kinesis answers. One thread, or one and a commit thread. What a broker adds to
// this is its own cost; `sluice bench` prints the ratio. Runs in its own process (fork), so that it shares nothing with
// the load generator but the machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/status.h"
#include "tools/bench/bound_process.h"

namespace sluice::tools {

struct BoundOptions {
  std::string dir;             // the disk to measure
  bool flush = true;           // fdatasync before the answer
  bool commit_thread = false;  // hand over to a second thread instead of committing on the network thread
  enum class Protocol { kFrames, kKinesis, kSignedKinesis };
  Protocol protocol = Protocol::kFrames;
};

class IngestBound {
 public:
  static Result<std::unique_ptr<IngestBound>> Start(BoundOptions options);
  std::uint16_t port() const { return process_->port(); }

  /// One frame as the server takes it.
  static std::string Request(std::string_view payload);
  static constexpr std::size_t kAnswerBytes = 16;

 private:
  explicit IngestBound(std::unique_ptr<BoundProcess> process) : process_(std::move(process)) {}
  const std::unique_ptr<BoundProcess> process_;
};

}  // namespace sluice::tools
