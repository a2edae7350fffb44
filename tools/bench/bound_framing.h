// What a bare ingest server speaks: how requests are told apart, what becomes durable of them, and what answers them.
// Threads: one.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::tools {

class BoundFraming {
 public:
  virtual ~BoundFraming() = default;

  /// Readable bytes behind each request, which Take may look at: simdjson does.
  static constexpr std::size_t kPaddingBytes = 64;

  /// Bytes of the request that `bytes` starts with; 0 where they do not say yet.
  virtual std::size_t RequestBytes(std::string_view bytes) const = 0;
  /// Does the work that a whole request asks for: what is to be durable goes to `to`, the answer behind `answers`.
  /// Gives the bytes at `to`, hardly more than those of the request.
  virtual std::size_t Take(std::string_view request, char* to, std::string& answers) = 0;
};

/// Kinesis' PutRecord and PutRecords over HTTP/1.1, with the SHA-256 of each body where signatures are to be verified.
std::unique_ptr<BoundFraming> MakeKinesisFraming(bool verify);

}  // namespace sluice::tools
