// HTTP/2 (RFC 9113) by nghttp2. Flow-control windows are opened as bytes come, because a body that waits for window
// behind others that wait too would wait forever; the bounds on bodies are kept by refusing the streams that pass them.
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <utility>

#include "broker/api/aws/http_session.h"
#include "protocol/aws/document.h"
#include "protocol/check.h"

namespace sluice::broker::aws {
namespace {

constexpr std::uint32_t kStreamWindowBytes = 1u << 20;
constexpr std::int32_t kConnectionWindowBytes = 8 << 20;
constexpr std::size_t kOutputPieceBytes = 64u << 10;
constexpr std::size_t kFieldOverheadBytes = 32;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts
constexpr std::size_t kQueuedFramesMax = 1'000;  // of answers to frames; above it nothing is read
constexpr std::uint64_t kResetsMax = 200;        // at one time; more come back at kResetsPerSecond
constexpr std::uint64_t kResetsPerSecond = 20;

std::string_view View(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

class Http2Session final : public HttpSession {
 public:
  Http2Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory);
  ~Http2Session() override { nghttp2_session_del(session_); }

  void Receive(std::string_view bytes, std::int64_t now_ms) override;
  std::optional<Arrived> Next() override;
  void Answer(std::uint64_t id, HttpResponse response) override;
  void BeginStream(std::uint64_t id, const HttpResponse& head) override;
  void WriteStream(std::uint64_t id, std::string piece) override;
  void EndStream(std::uint64_t id) override;
  void AbortStream(std::uint64_t id) override;
  bool StreamHasRoom(std::uint64_t id) const override;
  std::vector<StreamChange> TakeStreamChanges() override { return std::exchange(changes_, {}); }
  void TakeOutput(std::vector<std::string>& pieces, std::size_t bytes_max) override;

  bool wants_input() const override {
    return !done() && nghttp2_session_get_outbound_queue_size(session_) < kQueuedFramesMax;
  }
  bool receiving() const override { return incomplete_ > 0; }
  bool working() const override { return in_work_ > 0 || !ready_.empty() || unsent_bytes_ > 0 || wants_write(); }
  std::size_t unsent_bytes() const override { return unsent_bytes_; }
  bool waits_for_peer() const override { return in_work_ == 0 && unsent_bytes_ > 0 && !wants_write(); }
  bool failed() const override { return failed_; }
  bool done() const override;
  void BeginStop() override;
  void GiveUp(std::int64_t now_ms, std::int64_t timeout_ms) override;

 private:
  struct Stream {
    HttpRequest request;
    std::int64_t begun_ms = 0;
    std::size_t header_bytes = 0;
    std::size_t body_bytes = 0;
    bool given_out = false;  // complete, or refused: its request is in ready_ or was
    bool ended = false;      // the peer has sent all of it
    bool streaming = false;  // the answer goes on
    bool reset = false;      // by us; the frame may wait to be sent
    std::deque<std::string> answer;
    std::size_t first_sent = 0;  // of its first piece
    std::size_t unsent = 0;      // of all pieces
    std::int64_t moved_ms = 0;   // when the answer was complete, or some of it went out behind that
  };

  // nghttp2's callbacks; 0 is good.
  static int OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* frame, void*);
  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user);
  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                    void* user);
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int OnStreamClosed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user);
  static ssize_t ReadAnswer(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t size,
                            std::uint32_t* flags, nghttp2_data_source*, void* user);

  void Open();
  void SendSettings();
  Stream* Find(std::int32_t id);
  Stream* FindStreaming(std::uint64_t id);
  void SendHead(std::int32_t id, const HttpResponse& response, bool has_body);
  void Add(Stream& stream, std::string piece);
  void Reset(std::int32_t id, Stream& stream, std::uint32_t code);
  void TakeField(Stream& stream, std::string_view name, std::string_view value);
  void TakeData(std::int32_t id, Stream& stream, std::string_view bytes);
  void GiveOut(std::int32_t id, Stream& stream, HttpProblem problem);
  bool wants_write() const { return nghttp2_session_want_write(session_) != 0; }

  const HttpLimits limits_;
  const std::shared_ptr<BodyMemory> memory_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, Stream> streams_;
  std::deque<std::int32_t> ready_;  // streams whose requests wait for Next; some may be closed
  std::size_t incomplete_ = 0;      // streams whose request has not been given out
  std::size_t in_work_ = 0;         // requests that Next gave and nobody has answered
  std::size_t body_bytes_ = 0;      // of all streams
  std::size_t unsent_bytes_ = 0;    // of the pieces of all answers: one that is sent in part is held as a whole
  std::vector<StreamChange> changes_;
  std::int64_t now_ms_ = 0;  // of the last Receive or GiveUp
  bool stopping_ = false;
  bool failed_ = false;
};

Http2Session::Http2Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory)
    : limits_(limits), memory_(std::move(memory)) {
  Open();
  SendSettings();
}

void Http2Session::Open() {
  nghttp2_session_callbacks* callbacks = nullptr;
  SLUICE_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, OnBeginFrame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnStreamClosed);
  nghttp2_option* option = nullptr;
  SLUICE_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetsMax, kResetsPerSecond);
  SLUICE_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
}

void Http2Session::SendSettings() {
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                             static_cast<std::uint32_t>(limits_.header_bytes_max)},
  };
  SLUICE_CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  SLUICE_CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes) == 0);
}

Http2Session::Stream* Http2Session::Find(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void Http2Session::Receive(std::string_view bytes, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (failed_) return;
  const ssize_t taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken >= 0) return;
  nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  failed_ = true;
}

// nghttp2 passes over a new stream with a number below the last one's; RFC 9113 section 5.1.1 wants it to be an error.
int Http2Session::OnBeginFrame(nghttp2_session* session, const nghttp2_frame_hd* frame, void*) {
  if (frame->type != NGHTTP2_HEADERS || frame->stream_id > nghttp2_session_get_last_proc_stream_id(session)) return 0;
  if (nghttp2_session_find_stream(session, frame->stream_id) != nullptr) return 0;
  return nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
}

int Http2Session::OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  Stream& stream = me.streams_[frame->hd.stream_id];
  stream.request.share = BodyShare(me.memory_);
  stream.begun_ms = me.now_ms_;
  ++me.incomplete_;
  return 0;
}

int Http2Session::OnHeader(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                           std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                           void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  Stream* stream = me.Find(frame->hd.stream_id);
  if (stream == nullptr || stream->given_out || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;  // or a trailer
  me.TakeField(*stream, View(name, name_size), View(value, value_size));
  return 0;
}

void Http2Session::TakeField(Stream& stream, std::string_view name, std::string_view value) {
  stream.header_bytes += name.size() + value.size() + kFieldOverheadBytes;
  if (stream.header_bytes > limits_.header_bytes_max) {
    stream.request.problem = HttpProblem::kHeaderTooLarge;
  } else if (name == ":method") {
    stream.request.method = value;
  } else if (name == ":path") {
    const std::size_t question = std::min(value.find('?'), value.size());
    stream.request.path = value.substr(0, question);
    stream.request.query = value.substr(std::min(question + 1, value.size()));
  } else if (name == ":authority") {
    stream.request.fields.Add("host", value);
  } else if (!name.starts_with(':')) {
    // Some clients send both; the signature is over one.
    if (name == "host" && !stream.request.Find("host").empty()) return;
    stream.request.fields.Add(name, value);
  }
}

int Http2Session::OnData(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
                         void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  Stream* stream = me.Find(id);
  if (stream != nullptr && !stream->given_out) me.TakeData(id, *stream, View(bytes, size));
  return 0;
}

void Http2Session::TakeData(std::int32_t id, Stream& stream, std::string_view bytes) {
  std::string& body = stream.request.body;
  if (body.size() + bytes.size() > limits_.body_bytes_max) return GiveOut(id, stream, HttpProblem::kBodyTooLarge);
  if (body_bytes_ + bytes.size() > limits_.connection_bytes_max ||
      !stream.request.share.Take(bytes.size(), body_bytes_ - stream.body_bytes)) {
    return GiveOut(id, stream, HttpProblem::kNoMemory);
  }
  body_bytes_ += bytes.size();
  stream.body_bytes += bytes.size();
  const std::size_t needed = body.size() + bytes.size() + protocol::aws::Document::kPaddingBytes;
  if (needed > body.capacity()) body.reserve(std::max(needed, 2 * body.capacity()));
  body += bytes;
}

int Http2Session::OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  Stream* stream = me.Find(frame->hd.stream_id);
  if (stream == nullptr) return 0;
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (ends) stream->ended = true;
  if (!stream->given_out && (ends || stream->request.problem != HttpProblem::kNone)) {
    me.GiveOut(frame->hd.stream_id, *stream, stream->request.problem);
  }
  return 0;
}

void Http2Session::GiveOut(std::int32_t id, Stream& stream, HttpProblem problem) {
  stream.given_out = true;
  --incomplete_;
  stream.request.problem = problem;
  if (problem != HttpProblem::kNone) {
    stream.request.body = {};
    stream.request.share.Clear();
    body_bytes_ -= std::exchange(stream.body_bytes, 0);
  }
  ready_.push_back(id);
}

std::optional<HttpSession::Arrived> Http2Session::Next() {
  while (!ready_.empty() && in_work_ < limits_.streams_max && unsent_bytes_ < limits_.unsent_bytes_max) {
    const std::int32_t id = ready_.front();
    ready_.pop_front();
    Stream* stream = Find(id);
    if (stream == nullptr) continue;  // the peer has reset it
    ++in_work_;
    return Arrived{static_cast<std::uint64_t>(id), std::move(stream->request)};
  }
  return std::nullopt;
}

void Http2Session::Answer(std::uint64_t id, HttpResponse response) {
  SLUICE_CHECK(in_work_ > 0);
  --in_work_;
  Stream* stream = Find(static_cast<std::int32_t>(id));
  if (stream == nullptr) return;  // the peer has reset it
  body_bytes_ -= std::exchange(stream->body_bytes, 0);
  response.fields.Add("content-length", std::to_string(response.body.size()));
  const bool has_body = !response.body.empty();
  stream->moved_ms = now_ms_;
  if (has_body) Add(*stream, std::move(response.body));
  SendHead(static_cast<std::int32_t>(id), response, has_body);
}

void Http2Session::BeginStream(std::uint64_t id, const HttpResponse& head) {
  SLUICE_CHECK(in_work_ > 0);
  Stream* stream = Find(static_cast<std::int32_t>(id));
  if (stream == nullptr) {  // the peer has reset it
    --in_work_;
    changes_.push_back({id, true});
    return;
  }
  body_bytes_ -= std::exchange(stream->body_bytes, 0);
  stream->streaming = true;
  SendHead(static_cast<std::int32_t>(id), head, true);
}

Http2Session::Stream* Http2Session::FindStreaming(std::uint64_t id) {
  Stream* stream = Find(static_cast<std::int32_t>(id));
  return stream != nullptr && stream->streaming ? stream : nullptr;
}

void Http2Session::WriteStream(std::uint64_t id, std::string piece) {
  Stream* stream = FindStreaming(id);
  if (stream == nullptr || piece.empty()) return;
  Add(*stream, std::move(piece));
  nghttp2_session_resume_data(session_, static_cast<std::int32_t>(id));
}

void Http2Session::EndStream(std::uint64_t id) {
  Stream* stream = FindStreaming(id);
  if (stream == nullptr) return;
  stream->streaming = false;
  stream->moved_ms = now_ms_;
  --in_work_;
  nghttp2_session_resume_data(session_, static_cast<std::int32_t>(id));
}

void Http2Session::AbortStream(std::uint64_t id) {
  Stream* stream = FindStreaming(id);
  if (stream != nullptr) Reset(static_cast<std::int32_t>(id), *stream, NGHTTP2_CANCEL);
}

bool Http2Session::StreamHasRoom(std::uint64_t id) const {
  const auto found = streams_.find(static_cast<std::int32_t>(id));
  return found == streams_.end() || found->second.unsent < limits_.stream_unsent_bytes_max;
}

void Http2Session::Add(Stream& stream, std::string piece) {
  stream.unsent += piece.size();
  unsent_bytes_ += piece.size();
  stream.answer.push_back(std::move(piece));
}

void Http2Session::SendHead(std::int32_t id, const HttpResponse& response, bool has_body) {
  const std::string status = std::to_string(response.status);
  std::vector<nghttp2_nv> fields;
  const auto add = [&fields](std::string_view name, std::string_view value) {
    fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NONE});
  };
  add(":status", status);
  for (const HttpField field : response.fields.all()) add(field.name, field.value);
  const nghttp2_data_provider body{.source = {}, .read_callback = ReadAnswer};
  nghttp2_submit_response(session_, id, fields.data(), fields.size(), has_body ? &body : nullptr);
}

ssize_t Http2Session::ReadAnswer(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t size,
                                 std::uint32_t* flags, nghttp2_data_source*, void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  Stream* stream = me.Find(id);
  if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  if (stream->answer.empty() && stream->streaming) return NGHTTP2_ERR_DEFERRED;
  const bool had_room = stream->unsent < me.limits_.stream_unsent_bytes_max;
  std::size_t bytes = 0;
  while (bytes < size && !stream->answer.empty()) {
    const std::size_t piece_bytes = stream->answer.front().size();
    const std::string_view piece = std::string_view(stream->answer.front()).substr(stream->first_sent);
    const std::size_t of_piece = std::min(size - bytes, piece.size());
    std::memcpy(out + bytes, piece.data(), of_piece);
    bytes += of_piece;
    stream->first_sent += of_piece;
    if (of_piece < piece.size()) break;
    me.unsent_bytes_ -= piece_bytes;
    stream->answer.pop_front();
    stream->first_sent = 0;
  }
  if (bytes > 0) stream->moved_ms = me.now_ms_;
  stream->unsent -= bytes;
  const bool has_room = stream->unsent < me.limits_.stream_unsent_bytes_max;
  if (stream->streaming && !had_room && has_room) me.changes_.push_back({static_cast<std::uint64_t>(id), false});
  if (stream->answer.empty() && !stream->streaming) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

int Http2Session::OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) me.failed_ = true;
  const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!ends) return 0;
  const Stream* stream = me.Find(frame->hd.stream_id);
  if (stream == nullptr || stream->ended) return 0;
  // The answer is out and the peer still sends: nobody wants the rest (RFC 9113 section 8.1).
  return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
}

int Http2Session::OnStreamClosed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
  auto& me = *static_cast<Http2Session*>(user);
  const auto found = me.streams_.find(id);
  if (found == me.streams_.end()) return 0;
  const Stream& stream = found->second;
  if (!stream.given_out) --me.incomplete_;
  me.body_bytes_ -= stream.body_bytes;
  me.unsent_bytes_ -= stream.unsent + stream.first_sent;
  if (stream.streaming) {
    --me.in_work_;
    me.changes_.push_back({static_cast<std::uint64_t>(id), true});
  }
  me.streams_.erase(found);
  return 0;
}

void Http2Session::TakeOutput(std::vector<std::string>& pieces, std::size_t bytes_max) {
  std::size_t bytes = 0;
  std::string piece;
  const std::uint8_t* frame = nullptr;
  ssize_t size = 0;
  while (bytes < bytes_max && (size = nghttp2_session_mem_send(session_, &frame)) > 0) {
    if (!piece.empty() && piece.size() + static_cast<std::size_t>(size) > kOutputPieceBytes) {
      pieces.push_back(std::exchange(piece, {}));
    }
    piece += View(frame, static_cast<std::size_t>(size));
    bytes += static_cast<std::size_t>(size);
  }
  if (size < 0) failed_ = true;
  if (!piece.empty()) pieces.push_back(std::move(piece));
}

bool Http2Session::done() const {
  if (nghttp2_session_want_read(session_) == 0 && !wants_write()) return true;
  return stopping_ && streams_.empty() && in_work_ == 0 && !wants_write();
}

void Http2Session::BeginStop() {
  if (std::exchange(stopping_, true)) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  for (auto& [id, stream] : streams_) {
    if (!stream.given_out) Reset(id, stream, NGHTTP2_REFUSED_STREAM);
  }
}

void Http2Session::GiveUp(std::int64_t now_ms, std::int64_t timeout_ms) {
  now_ms_ = now_ms;
  for (auto& [id, stream] : streams_) {
    const bool slow_request = !stream.given_out && now_ms - stream.begun_ms >= timeout_ms;
    const bool answer_waits = stream.unsent > 0 && !stream.streaming;
    if (slow_request || (answer_waits && now_ms - stream.moved_ms >= timeout_ms)) Reset(id, stream, NGHTTP2_CANCEL);
  }
}

// Once: a frame for each tick would pile up where the peer takes none.
void Http2Session::Reset(std::int32_t id, Stream& stream, std::uint32_t code) {
  if (!std::exchange(stream.reset, true)) nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
}

}  // namespace

std::unique_ptr<HttpSession> NewHttp2Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory) {
  return std::make_unique<Http2Session>(limits, std::move(memory));
}

}  // namespace sluice::broker::aws
