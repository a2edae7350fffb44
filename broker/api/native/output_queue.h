// What a connection still has to send: small answers in one string, frames in their own memory between them, sent
// together with gather writes. Threads: its owner's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "protocol/frame.h"

namespace sluice::broker::native {

class OutputQueue {
 public:
  /// Small answers are appended here.
  std::string& small() { return small_; }
  /// The frames go out behind everything that is queued now.
  void AddFrames(std::vector<protocol::Frame> frames);

  bool empty() const { return small_sent_ == small_.size() && groups_.empty(); }
  std::size_t bytes() const { return small_.size() - small_sent_ + frame_bytes_; }

  enum class Outcome : std::uint8_t { kDone, kBlocked, kBroken };
  /// Sends until all is gone, the socket takes no more, or it is broken. `sent` is how much went out.
  Outcome Send(int socket, std::size_t& sent);
  void Clear();

 private:
  struct Group {
    std::size_t at;  // position in small_ that these frames follow
    std::vector<protocol::Frame> frames;
  };

  std::size_t Gather(iovec* pieces, std::size_t pieces_max) const;
  void Sent(std::size_t bytes);
  void Compact();

  std::string small_;
  std::size_t small_sent_ = 0;
  std::deque<Group> groups_;
  std::size_t frame_index_ = 0;  // in the first group
  std::size_t frame_sent_ = 0;   // bytes of that frame
  std::size_t frame_bytes_ = 0;  // of all frames, still to send
};

}  // namespace sluice::broker::native
