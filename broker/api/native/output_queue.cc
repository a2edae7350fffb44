// Gather writes with sendmsg.
#include "broker/api/native/output_queue.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "broker/api/polled_socket.h"
#include "protocol/check.h"

namespace sluice::broker::native {
namespace {

constexpr std::size_t kPiecesMax = 1024;           // the kernel's IOV_MAX
constexpr std::size_t kSentBytesKept = 64u << 10;  // sent bytes in front of small_ before it is moved up
constexpr std::size_t kIdleBytes = 1024;           // what an idle connection's string may hold on to

}  // namespace

void OutputQueue::AddFrames(std::vector<protocol::Frame> frames) {
  if (frames.empty()) return;
  for (const protocol::Frame& frame : frames) frame_bytes_ += frame.size();
  groups_.push_back({small_.size(), std::move(frames)});
}

std::size_t OutputQueue::Gather(iovec* pieces, std::size_t pieces_max) const {
  std::size_t count = 0;
  std::size_t small_at = small_sent_;
  const auto add = [&](const char* data, std::size_t size) {
    if (size > 0) pieces[count++] = {const_cast<char*>(data), size};  // sendmsg only reads
  };
  std::size_t index = frame_index_;
  std::size_t skip = frame_sent_;
  for (const Group& group : groups_) {
    if (count == pieces_max) return count;
    add(small_.data() + small_at, group.at - small_at);
    small_at = group.at;
    for (; index < group.frames.size(); ++index) {
      if (count == pieces_max) return count;
      const std::string_view bytes = group.frames[index].bytes().substr(skip);
      add(bytes.data(), bytes.size());
      skip = 0;
    }
    index = 0;
  }
  if (count < pieces_max) add(small_.data() + small_at, small_.size() - small_at);
  return count;
}

void OutputQueue::Sent(std::size_t bytes) {
  while (bytes > 0) {
    const std::size_t small_end = groups_.empty() ? small_.size() : groups_.front().at;
    const std::size_t small = std::min(bytes, small_end - small_sent_);
    small_sent_ += small;
    bytes -= small;
    if (bytes == 0) return;
    SLUICE_CHECK(!groups_.empty());
    Group& group = groups_.front();
    const std::size_t frame = std::min(bytes, group.frames[frame_index_].size() - frame_sent_);
    frame_sent_ += frame;
    frame_bytes_ -= frame;
    bytes -= frame;
    if (frame_sent_ < group.frames[frame_index_].size()) return;
    frame_sent_ = 0;
    if (++frame_index_ < group.frames.size()) continue;
    frame_index_ = 0;
    groups_.pop_front();
  }
}

void OutputQueue::Compact() {
  if (empty()) {
    small_.clear();
    small_sent_ = 0;
    if (small_.capacity() > kIdleBytes) std::string().swap(small_);
    return;
  }
  if (small_sent_ < kSentBytesKept) return;
  small_.erase(0, small_sent_);
  for (Group& group : groups_) group.at -= small_sent_;
  small_sent_ = 0;
}

OutputQueue::Outcome OutputQueue::Send(int socket, std::size_t& sent) {
  sent = 0;
  std::array<iovec, kPiecesMax> pieces;
  while (!empty()) {
    const ssize_t result = SendPieces(socket, std::span(pieces).first(Gather(pieces.data(), pieces.size())));
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) {
      Compact();
      return errno == EAGAIN || errno == EWOULDBLOCK ? Outcome::kBlocked : Outcome::kBroken;
    }
    sent += static_cast<std::size_t>(result);
    Sent(static_cast<std::size_t>(result));
  }
  Compact();
  return Outcome::kDone;
}

void OutputQueue::Clear() {
  small_.clear();
  groups_.clear();
  small_sent_ = frame_index_ = frame_sent_ = frame_bytes_ = 0;
}

}  // namespace sluice::broker::native
