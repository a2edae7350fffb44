// One connection of the native protocol: reads all messages that have come, hands them on, gathers the answers and
// sends them together once per turn of the loop.
//
// Life: Hello -> requests, pipelined -> the peer closes, or an error answer and a short wait for the peer to read it ->
// closed. It stops reading (and the peer's sends block) while too much is unanswered, unsent, or the log pushes back.
//
// Memory: an idle session has no buffers. Requests in flight refer to the session and keep it alive, never its socket
// open.
//
// Threads: its loop's only; a reference may travel through other threads but is made and dropped on the loop.
#pragma once

#include <boost/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <deque>
#include <string_view>

#include "broker/api/native/message_reader.h"
#include "broker/api/native/native_loop.h"
#include "broker/api/native/output_queue.h"
#include "broker/api/polled_socket.h"
#include "protocol/native/data_messages.h"
#include "protocol/native/wire.h"

namespace sluice::broker::native {

class Session final : public boost::intrusive_ref_counter<Session, boost::thread_unsafe_counter>, public PolledSocket {
 public:
  /// Takes over an accepted socket.
  Session(NativeLoop& loop, int fd);
  ~Session();

  void Start();
  void Flush();
  void CheckDeadlines();
  /// Takes no more requests; closes when all are answered.
  void BeginStop();
  void Close();

  std::size_t place = 0;       // in NativeLoop's list
  bool flush_awaited = false;  // FlushList's

 private:
  enum class State : std::uint8_t { kHello, kOpen, kDraining, kClosed };
  struct Request {  // what an answer needs to know of its request
    protocol::wire::Operation operation;
    std::uint64_t correlation_id;
  };
  struct DeferredRead {
    std::uint64_t correlation_id;
    protocol::wire::ReadRequest request;
  };

  // Input: session.cc.
  void WaitForInput();
  void OnReadable() override;
  void Process();
  void TakeRequest();
  bool MustPause() const;
  bool InputIsOver() const { return closed() || state_ == State::kDraining; }
  void ResumeLater();
  void Resume();
  void OnEndOfInput();

  // Requests: session_requests.cc.
  void TakeHello();
  void TakeAppend();
  void TakeAppendWhenReady();
  void TakeAppendBody();
  void GiveBodyBytes();
  void RunAppend();
  void AppendDone(std::uint64_t correlation_id, bool silent, const Result<storage::Appended>& result);
  void TakeRead();
  bool HasRoomForRead() const;
  void RunRead(std::uint64_t correlation_id, const protocol::wire::ReadRequest& request);
  void ReadDone(std::uint64_t correlation_id, Result<ReadAnswer> result);
  void RunDeferredReads();
  void ReadRests(bool& runs);
  void TakeControl(const ControlOperation& operation);
  void Answer(Request request, std::string_view control);
  void AnswerError(Request request, const Status& status);
  void RequestEnded(std::uint64_t bytes);

  // Output and end: session.cc.
  void OnWritable() override { Flush(); }
  void OnBroken() override { Close(); }  // nobody is there to answer
  void CloseIfDone();
  void Fail(const Status& status);
  void Drain();

  boost::intrusive_ptr<Session> self() { return boost::intrusive_ptr<Session>(this); }
  bool closed() const { return state_ == State::kClosed; }

  NativeLoop& loop_;
  MessageReader reader_;
  OutputQueue output_;
  std::deque<DeferredRead> deferred_reads_;  // wait for room in the output, or for those that run
  std::uint32_t running_reads_ = 0;          // neither answered nor waiting for records: an answer is on its way
  bool running_deferred_ = false;

  State state_ = State::kHello;
  std::uint8_t version_ = protocol::wire::kHelloVersion;
  bool large_answers_ = false;  // as in Hello
  bool waiting_ready_ = false;  // for the log to take appends again
  bool waiting_body_ = false;   // for memory to receive a body into
  bool paused_ = false;
  bool resume_posted_ = false;
  bool input_ended_ = false;              // the peer has closed its side, or we take no more
  protocol::wire::AppendRequest append_;  // whose body is on its way
  std::uint64_t append_correlation_id_ = 0;
  std::uint64_t body_bytes_ = 0;  // taken from the door's budget

  std::uint64_t inflight_bytes_ = 0;
  std::uint32_t inflight_requests_ = 0;

  std::int64_t connected_ms_;
  std::int64_t active_ms_;             // last sign of life
  std::int64_t partial_since_ms_ = 0;  // 0: no message is incomplete
  std::int64_t write_moved_ms_ = 0;
  std::int64_t drain_since_ms_ = 0;
};

}  // namespace sluice::broker::native
