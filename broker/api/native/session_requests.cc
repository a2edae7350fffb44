// A session's requests: appends and reads on the hot path, control operations off the loop, and how they are answered.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "broker/api/native/session.h"
#include "protocol/check.h"

namespace sluice::broker::native {
namespace {

namespace wire = protocol::wire;

constexpr std::uint32_t kAckMax = static_cast<std::uint32_t>(storage::AckMode::kNone);
constexpr std::uint32_t kRunningReadsMax = 4;  // of one connection: more than the threads that read the disk
// What a control operation's answer may have, roughly: it is there before the peer has taken those before it.
constexpr std::uint64_t kControlAnswerBytes = 256u << 10;

// What the log's callback holds; small enough to stay inside std::move_only_function.
struct AppendCall {
  boost::intrusive_ptr<Session> session;
  std::uint64_t correlation_id;
  std::uint32_t bytes : 31;
  std::uint32_t silent : 1;
};
static_assert(sizeof(AppendCall) <= 3 * sizeof(void*));
static_assert(protocol::wire::kBodyBytesMax < (1u << 31));

ReadFrom ToReadFrom(const wire::ReadRequest& request) {
  switch (request.from) {
    case wire::ReadFrom::kOffset:
      return Offset(request.offset);
    case wire::ReadFrom::kTime:
      return FromTime{request.time_ms};
    case wire::ReadFrom::kLatest:
      return FromLatest{};
    case wire::ReadFrom::kOldest:
    case wire::ReadFrom::kUnset:
      return FromOldest{};
  }
  return FromOldest{};
}

}  // namespace

void Session::TakeHello() {
  const wire::MessageHeader header = reader_.header();
  if (header.operation != wire::Operation::kHello) {
    return Fail(Status(Code::kFailedPrecondition, "the first message of a connection must be Hello"));
  }
  if (state_ != State::kHello) return Fail(Status(Code::kFailedPrecondition, "a connection says Hello once"));
  Agreement agreed;
  const auto answer = HandleHello(loop_.shared().context.append_options, reader_.control(), agreed);
  if (!answer) {
    AnswerError({header.operation, header.correlation_id}, answer.error());
    state_ = State::kDraining;
    drain_since_ms_ = loop_.now_ms();
    return WaitForInput();
  }
  reader_.SkipBody();
  Answer({header.operation, header.correlation_id}, *answer);  // still in the version of Hello
  version_ = agreed.version;
  large_answers_ = agreed.large_answers;
  state_ = State::kOpen;
}

void Session::TakeAppend() {
  const wire::MessageHeader& header = reader_.header();
  const Request request{header.operation, header.correlation_id};
  const auto append = wire::DecodeAppendRequest(reader_.control());
  const std::uint64_t batch_bytes_max = loop_.shared().context.append_options.batch_bytes_max;
  if (!append || append->ack > kAckMax || header.body_bytes > batch_bytes_max) {
    loop_.metrics().append_refused.Add();
    if (!append) {
      AnswerError(request, append.error());
    } else if (append->ack > kAckMax) {
      AnswerError(request, Status(Code::kInvalidArgument,
                                  fmt::format("ack mode {} is not known; 0 durable, 1 written, 2 none", append->ack)));
    } else {
      AnswerError(request,
                  Status(Code::kInvalidArgument,
                         fmt::format("the batch has {} bytes, over the limit of {} (append.batch_bytes_max); send "
                                     "smaller batches",
                                     header.body_bytes, batch_bytes_max)));
    }
    return reader_.SkipBody();
  }
  append_ = *append;
  append_correlation_id_ = header.correlation_id;
  TakeAppendWhenReady();
}

// Back-pressure: where the log holds appends back, this connection is not read on. The others are, until they append.
void Session::TakeAppendWhenReady() {
  if (!loop_.shared().appends.overloaded()) return TakeAppendBody();
  waiting_ready_ = paused_ = true;
  loop_.shared().appends.WhenReady(loop_.loop(), [me = self()] {
    me->waiting_ready_ = false;
    if (me->InputIsOver()) return;
    me->TakeAppendWhenReady();
    me->ResumeLater();
  });
}

void Session::TakeAppendBody() {
  const std::uint64_t bytes = reader_.header().body_bytes;
  if (reader_.body_is_here()) return reader_.TakeBody();
  const bool taken = loop_.shared().bodies.Take(loop_.loop(), this, bytes, [me = self(), bytes] {
    me->waiting_body_ = false;
    if (me->InputIsOver()) return me->loop_.shared().bodies.Give(bytes);
    me->body_bytes_ = bytes;
    me->reader_.TakeBody();
    me->ResumeLater();
  });
  if (!taken) {
    waiting_body_ = paused_ = true;
    return;
  }
  body_bytes_ = bytes;
  reader_.TakeBody();
}

// The body has come, or never will.
void Session::GiveBodyBytes() {
  if (body_bytes_ > 0) loop_.shared().bodies.Give(std::exchange(body_bytes_, 0));
}

void Session::RunAppend() {
  protocol::FrameBuffer batch = reader_.ReleaseBody();
  GiveBodyBytes();
  const auto bytes = static_cast<std::uint32_t>(batch.batch_view().size());
  const auto ack = static_cast<storage::AckMode>(append_.ack);
  inflight_bytes_ += bytes;
  ++inflight_requests_;
  AppendCall call{self(), append_correlation_id_, bytes, ack == storage::AckMode::kNone};
  AppendRequest request{StreamId(append_.stream_id), ShardIndex(append_.shard), ack, std::move(batch)};
  loop_.shared().appends.Append(loop_.loop(), std::move(request),
                                [call = std::move(call)](const Result<storage::Appended>& result) {
                                  call.session->AppendDone(call.correlation_id, call.silent, result);
                                  call.session->RequestEnded(call.bytes);
                                });
}

void Session::AppendDone(std::uint64_t correlation_id, bool silent, const Result<storage::Appended>& result) {
  const Request request{wire::Operation::kAppend, correlation_id};
  if (!result) return AnswerError(request, result.error());
  if (silent) return;
  Answer(request, wire::Encode(wire::AppendResponse{.base_offset = result->base_offset.value,
                                                    .append_time_ms = result->append_time_ms,
                                                    .duplicate = result->duplicate})
                      .view());
}

void Session::TakeRead() {
  const wire::MessageHeader& header = reader_.header();
  const auto read = wire::DecodeReadRequest(reader_.control());
  const std::uint64_t correlation_id = header.correlation_id;
  reader_.SkipBody();
  if (!read) return AnswerError({wire::Operation::kRead, correlation_id}, read.error());
  ++inflight_requests_;
  RunRead(correlation_id, *read);
}

bool Session::HasRoomForRead() const {
  return output_.bytes() < loop_.shared().options.output_bytes_max && running_reads_ < kRunningReadsMax;
}

// While the peer does not take what it has asked for, further reads wait here: their answers would only fill memory. So
// do those whose answers would come from the disk together; long polls hold nothing, and nobody waits for them.
void Session::RunRead(std::uint64_t correlation_id, const wire::ReadRequest& request) {
  if (!HasRoomForRead()) {
    deferred_reads_.push_back({correlation_id, request});
    return;
  }
  ReadRequest read{.stream = StreamId(request.stream_id),
                   .shard = ShardIndex(request.shard),
                   .from = ToReadFrom(request),
                   .bytes_max = request.bytes_max,
                   .records_max = request.records_max,
                   .wait_ms = input_ended_ ? 0 : request.wait_ms};
  ++running_reads_;
  const auto runs = std::make_shared<bool>(true);
  if (read.wait_ms > 0) read.waits = [me = self(), runs] { me->ReadRests(*runs); };
  loop_.shared().reads.Read(loop_.loop(), std::move(read),
                            [me = self(), correlation_id, runs](Result<ReadAnswer> result) {
                              me->ReadDone(correlation_id, std::move(result));
                              me->ReadRests(*runs);
                              me->RequestEnded(0);
                            });
}

// A read that may be answered at once comes back here from RunRead.
void Session::RunDeferredReads() {
  if (std::exchange(running_deferred_, true)) return;
  while (!deferred_reads_.empty() && HasRoomForRead() && !closed()) {
    const DeferredRead next = deferred_reads_.front();
    deferred_reads_.pop_front();
    RunRead(next.correlation_id, next.request);
  }
  running_deferred_ = false;
}

// It is answered, or waits for records.
void Session::ReadRests(bool& runs) {
  if (!std::exchange(runs, false)) return;
  --running_reads_;
  if (!deferred_reads_.empty()) RunDeferredReads();
}

void Session::ReadDone(std::uint64_t correlation_id, Result<ReadAnswer> result) {
  const Request request{wire::Operation::kRead, correlation_id};
  if (!result) return AnswerError(request, result.error());
  if (closed() || state_ == State::kDraining) return;
  const auto control = wire::Encode(wire::ReadResponse{.next_offset = result->run.next.value,
                                                       .oldest_offset = result->oldest.value,
                                                       .end_offset = result->end.value,
                                                       .first_offset = result->first.value,
                                                       .closed = result->closed});
  SLUICE_CHECK(result->run.bytes <= wire::kBodyBytesMax);
  const wire::MessageHeader header{.version = version_,
                                   .kind = wire::MessageKind::kResponse,
                                   .operation = request.operation,
                                   .correlation_id = correlation_id,
                                   .body_bytes = static_cast<std::uint32_t>(result->run.bytes)};
  const auto bytes = wire::EncodeHeader(header, control.view());
  output_.small().append(bytes.data(), bytes.size()).append(control.view());
  output_.AddFrames(std::move(result->run.frames));
  loop_.FlushLater(*this);
}

void Session::TakeControl(const ControlOperation& operation) {
  const Request request{operation.operation, reader_.header().correlation_id};
  const std::uint64_t bytes = reader_.header().control_bytes + kControlAnswerBytes;
  inflight_bytes_ += bytes;
  ++inflight_requests_;
  auto task = [me = self(), &operation, request, bytes, control = std::string(reader_.control())]() mutable {
    auto answer = operation.handler(me->loop_.shared().context, control);
    EventLoop& loop = me->loop_.loop();
    loop.Post([me = std::move(me), request, bytes, answer = std::move(answer)]() mutable {
      if (!answer) {
        me->AnswerError(request, answer.error());
      } else {
        me->Answer(request, *answer);
      }
      me->RequestEnded(bytes);
    });
  };
  reader_.SkipBody();
  if (operation.thread == HandlerThread::kDelivery) {
    loop_.shared().run_delivery(std::move(task));
  } else {
    loop_.shared().context.shards.loops().RunBlocking(std::move(task));
  }
}

void Session::Answer(Request request, std::string_view control) {
  if (closed() || state_ == State::kDraining) return;
  const bool as_body = control.size() > wire::kControlBytesMax;
  if (as_body && !large_answers_) {
    return AnswerError(request, Status(Code::kResourceExhausted,
                                       "the answer is over 1 MiB, which this client does not take; use a newer one"));
  }
  if (control.size() > wire::kBodyBytesMax) {
    return AnswerError(request, Status(Code::kResourceExhausted, "the answer is over 16 MiB; ask for less"));
  }
  const wire::MessageHeader header{.version = version_,
                                   .kind = wire::MessageKind::kResponse,
                                   .operation = request.operation,
                                   .correlation_id = request.correlation_id,
                                   .body_bytes = as_body ? static_cast<std::uint32_t>(control.size()) : 0};
  const auto bytes = wire::EncodeHeader(header, as_body ? std::string_view() : control);
  output_.small().append(bytes.data(), bytes.size()).append(control);
  loop_.FlushLater(*this);
}

void Session::AnswerError(Request request, const Status& status) {
  if (closed() || state_ == State::kDraining) return;
  SLUICE_CHECK(!status.ok());
  const bool fixed_version = request.operation == wire::Operation::kConnection || state_ == State::kHello;
  const wire::MessageHeader header{.version = fixed_version ? wire::kHelloVersion : version_,
                                   .kind = wire::MessageKind::kResponse,
                                   .operation = request.operation,
                                   .correlation_id = request.correlation_id,
                                   .status = status.code()};
  wire::AppendMessage(header, ErrorControl(status), {}, output_.small());
  loop_.FlushLater(*this);
}

void Session::RequestEnded(std::uint64_t bytes) {
  SLUICE_CHECK(inflight_requests_ > 0 && inflight_bytes_ >= bytes);
  --inflight_requests_;
  inflight_bytes_ -= bytes;
  if (closed()) return;
  active_ms_ = loop_.now_ms();
  if (paused_) ResumeLater();
  if (input_ended_) CloseIfDone();
}

}  // namespace sluice::broker::native
