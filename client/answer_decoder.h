// Takes the records out of one answer to a read: frames, in them batches, in them records.
//
// Everything is checked on the way: checksum of each frame and batch, that they are of the right shard, and that no
// offset is missing between them. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/batch.h"
#include "protocol/frame.h"
#include "sluice/consumer.h"

namespace sluice::client {

class AnswerDecoder {
 public:
  /// `body`: frames. Records before `wanted` are skipped.
  AnswerDecoder(ShardId shard, std::uint64_t wanted, std::string body)
      : shard_(shard), next_offset_(wanted), body_(std::move(body)), rest_(body_) {}
  AnswerDecoder(const AnswerDecoder&) = delete;
  AnswerDecoder& operator=(const AnswerDecoder&) = delete;

  /// Fills `record` and gives true; false at the end. kCorruption: nothing more can be read.
  Result<bool> Next(ConsumedRecord& record);
  /// Of the record that Next gives next.
  std::uint64_t next_offset() const { return next_offset_; }

 private:
  Status OpenFrame();

  const ShardId shard_;
  std::uint64_t next_offset_;
  const std::string body_;
  std::string_view rest_;  // of body_: frames not yet opened
  protocol::FrameHeader frame_;
  std::string scratch_;  // decompressed records
  std::optional<protocol::BatchReader> batch_;
};

}  // namespace sluice::client
