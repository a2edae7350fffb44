// Reads one shard ahead of the user: one fetch outstanding, one answer waiting, and one in the user's hands.
//
// The user's thread takes records and changes the position; the client's own thread fetches. Retriable failures are
// tried again after a pause; any other failure stops the shard until Seek. A shard that was split or merged is read to
// its end, and then the reader is finished: what follows is for the readers of its children.
//
// Threads: as each function says; the mutex is the reader's own.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/answer_decoder.h"
#include "client/backoff.h"
#include "client/connection.h"
#include "protocol/native/data_messages.h"

namespace sluice::client {

/// What the readers of one consumer share; constant while they live.
struct ReaderContext {
  Connection& connection;
  std::string stream;
  StreamId stream_id;
  bool follows = false;  // the end of a closed shard is no error: its children are read
  std::atomic<std::uint64_t> fetch_bytes_max = 0;
  std::chrono::milliseconds fetch_wait{0};
  std::function<void()> news;  // called on the client's own thread: records, an error or the shard's end came
};

class ShardReader {
 public:
  ShardReader(const ReaderContext& context, std::uint32_t shard, Position start);

  // ---- the user's thread ----
  /// Appends up to `count` records.
  void Take(std::uint32_t count, std::vector<ConsumedRecord>& records);
  /// Why reading has stopped, once; OK where it goes on or that was told.
  Status TakeError();
  bool stopped() const;
  /// The shard is closed, and everything up to its end was taken.
  bool finished() const;
  /// Fetches from now on; before that a Seek only sets where to begin.
  void Start();
  void Seek(Position position);
  void Pause(bool paused);
  ShardProgress progress() const;

  // ---- the client's own thread ----
  /// Fetches where that is due.
  void Fetch();
  void Stop();

 private:
  using Clock = std::chrono::steady_clock;

  bool Advance();
  void Finish(const Status& outcome);
  void PostFetch();
  std::string EncodeRequest() const;
  void Fetched(std::uint64_t generation, Clock::time_point sent_at, Result<Answer> answer);
  Result<bool> TakeAnswer(Answer answer);
  void Failed(std::uint64_t generation, const Status& why);
  void Halt(std::uint64_t generation, const Status& why);
  void FetchLater();

  const ReaderContext& context_;  // outlives the reader
  const std::uint32_t shard_;
  std::unique_ptr<AnswerDecoder> current_;  // the user's thread only
  Backoff backoff_;                         // the client's own thread only, and so is timer_
  boost::asio::steady_timer timer_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Position position_;              // of the next fetch; an offset once the broker has answered
  std::uint64_t next_offset_ = 0;  // of the next record for the user
  std::uint64_t end_offset_ = 0;
  std::unique_ptr<AnswerDecoder> ready_;
  bool taking_ = false;           // current_ has records before those that are fetched
  std::uint64_t generation_ = 0;  // counts Seeks: answers to what was asked before are thrown away
  bool fetching_ = false;
  bool paused_ = false;
  bool started_ = false;
  bool at_end_ = false;  // the shard is closed, and nothing more is to be fetched
  Status error_;         // why the shard has stopped
  bool told_ = false;
};

}  // namespace sluice::client
