// HTTP/1.1 (and 1.0) by Beast's parser. One request is worked on at a time, so that pipelined ones are answered in
// order; the bytes of the next ones wait, up to kAheadBytesMax. An answer in pieces is sent in chunks, or until the
// connection closes where the client knows nothing newer than HTTP/1.0.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/status.hpp>
#include <iterator>
#include <utility>

#include "broker/api/aws/http_session.h"
#include "broker/api/aws/spare_memory.h"
#include "protocol/ascii.h"
#include "protocol/aws/document.h"
#include "protocol/check.h"

namespace sluice::broker::aws {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kAheadBytesMax = 64u << 10;
// Behind a header, what the parser could not use are chunks, and nothing whole with fewer: the last one has five bytes.
// Beast asserts that where it has seen the chunk's own three before.
constexpr std::size_t kWaitingBytesMin = 5;
constexpr std::size_t kTogetherBytesMax = 1'024;  // of a body that goes behind the head, in one piece with it
constexpr std::size_t kHeadBytesUsual = 512;
constexpr std::size_t kDirectBytesMin = 16u << 10;  // of the rest of a body: less is copied
constexpr std::size_t kGrowthMax = 16;              // of a body's memory, for each byte that has come

using Text = boost::beast::string_view;

std::string_view View(Text text) { return {text.data(), text.size()}; }

// One request, written down as it is read; for one request only.
class RequestParser final : public http::basic_parser<true> {
 public:
  explicit RequestParser(const std::shared_ptr<BodyMemory>& memory) { request_.share = BodyShare(memory); }

  const HttpRequest& request() const { return request_; }
  HttpRequest Take() { return std::move(request_); }
  int version() const { return version_; }  // 11 for HTTP/1.1

  /// How much more of a body of known length its memory can take; grows it.
  std::size_t BodyRoom() {
    const std::size_t size = request_.body.size();
    if (announced_ <= size) return 0;
    GrowTo(size + std::min<std::size_t>(announced_ - size, kDirectBytesMin));
    return std::min<std::size_t>(announced_, request_.body.capacity() - kPadding) - size;
  }
  /// Has `read` write up to `room` bytes behind the body. They are the parser's next.
  ssize_t ReadBody(std::size_t room, const HttpSession::Reader& read) {
    const std::size_t before = request_.body.size();
    ssize_t got = 0;
    request_.body.resize_and_overwrite(before + room, [&](char* data, std::size_t) {
      got = read(data + before, room);
      return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    });
    placed_ = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    return got;
  }
  /// What ReadBody has read and the parser has not seen.
  std::string_view placed() const { return std::string_view(request_.body).substr(request_.body.size() - placed_); }

 private:
  void on_request_impl(http::verb, Text method, Text target, int version, error_code&) override {
    request_.method = View(method);
    const std::size_t question = std::min(target.find('?'), target.size());
    request_.path = View(target.substr(0, question));
    request_.query = View(target.substr(std::min(question + 1, target.size())));
    version_ = version;
  }
  void on_field_impl(http::field, Text name, Text value, error_code&) override {
    request_.fields.AddLower(View(name), View(value));
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>& announced, error_code&) override {
    announced_ = announced.value_or(0);
  }
  std::size_t on_body_impl(Text bytes, error_code& error) override {
    if (!request_.share.Take(bytes.size())) {
      error = make_error_code(boost::system::errc::not_enough_memory);
      return 0;
    }
    if (std::exchange(placed_, 0) > 0) return bytes.size();
    GrowTo(request_.body.size() + bytes.size());
    request_.body.append(View(bytes));
    return bytes.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text bytes, error_code& error) override {
    return on_body_impl(bytes, error);
  }
  void on_response_impl(int, Text, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  // As the bytes come, some times as far where the header says so: what nobody writes to takes no memory. Keeps the
  // padding that readers of JSON want.
  void GrowTo(std::size_t bytes) {
    if (bytes + kPadding <= request_.body.capacity()) return;
    if (request_.body.empty() && std::max<std::uint64_t>(announced_, bytes) + kPadding <= SpareMemory::kBytes) {
      request_.body = SpareMemory::Take();
      return;
    }
    request_.body.reserve(kPadding +
                          (announced_ > 0 ? std::min<std::uint64_t>(announced_, kGrowthMax * bytes) : 2 * bytes));
  }

  static constexpr std::size_t kPadding = protocol::aws::Document::kPaddingBytes;

  HttpRequest request_;
  std::size_t placed_ = 0;  // bytes at the body's end that the parser has not seen
  int version_ = 0;
  std::uint64_t announced_ = 0;  // bytes; 0 where the body comes in chunks
};

std::string_view Reason(int status) { return View(http::obsolete_reason(static_cast<http::status>(status))); }

class Http1Session final : public HttpSession {
 public:
  Http1Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory)
      : limits_(limits), memory_(std::move(memory)) {
    NewParser();
  }

  void Receive(std::string_view bytes, std::int64_t now_ms) override;
  std::optional<DirectRead> ReceiveDirectly(const Reader& read, std::int64_t now_ms) override;
  std::optional<Arrived> Next() override;
  void Answer(std::uint64_t id, HttpResponse response) override;
  void BeginStream(std::uint64_t id, const HttpResponse& head) override;
  void WriteStream(std::uint64_t id, std::string piece) override;
  void EndStream(std::uint64_t id) override;
  void AbortStream(std::uint64_t id) override;
  bool StreamHasRoom(std::uint64_t) const override { return output_bytes_ < limits_.stream_unsent_bytes_max; }
  std::vector<StreamChange> TakeStreamChanges() override { return std::exchange(changes_, {}); }
  void TakeOutput(std::vector<std::string>& pieces, std::size_t bytes_max) override;

  bool wants_input() const override { return !done_ && ahead_.size() < kAheadBytesMax; }
  bool receiving() const override { return begun_ && !done_; }
  bool working() const override { return ready_.has_value() || in_work_ || !output_.empty(); }
  std::size_t unsent_bytes() const override { return output_bytes_; }
  bool waits_for_peer() const override { return false; }
  bool failed() const override { return failed_; }
  bool done() const override { return done_; }
  void BeginStop() override;
  void GiveUp(std::int64_t now_ms, std::int64_t timeout_ms) override;

 private:
  void NewParser();
  std::size_t Parse(std::string_view bytes);
  void ParseAhead();
  void OnHeader();
  void OnParseError(const error_code& error);
  void RequestIsHere(HttpProblem problem);
  void Put(std::string piece);
  std::string HeadOf(const HttpResponse& response) const;
  void AnswerIsOut();

  const HttpLimits limits_;
  const std::shared_ptr<BodyMemory> memory_;
  std::optional<RequestParser> parser_;
  bool begun_ = false;  // the parser has seen a byte
  std::int64_t begun_ms_ = 0;
  std::int64_t now_ms_ = 0;   // of the last Receive
  bool header_seen_ = false;  // the parser has all of the header
  std::string ahead_;         // bytes that are not parsed yet
  std::optional<HttpRequest> ready_;
  std::uint64_t id_ = 0;  // of the last request
  bool in_work_ = false;
  bool keep_alive_ = true;  // after the answer to the request in work
  bool is_head_ = false;    // of the request in work: its answer has no body
  bool is_http10_ = false;  // of the request in work: it knows no chunks
  bool streaming_ = false;  // the request in work is being answered in pieces
  std::vector<StreamChange> changes_;
  bool stopping_ = false;
  bool failed_ = false;
  bool done_ = false;
  std::vector<std::string> output_;
  std::size_t output_bytes_ = 0;
};

void Http1Session::NewParser() {
  parser_.emplace(memory_);
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser_->body_limit(limits_.body_bytes_max);
  parser_->eager(true);
  begun_ = header_seen_ = false;
}

void Http1Session::Receive(std::string_view bytes, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (done_) return;
  if (ahead_.empty()) {
    ahead_.assign(bytes.substr(Parse(bytes)));
  } else {
    ahead_.append(bytes);
    ParseAhead();
  }
}

std::optional<DirectRead> Http1Session::ReceiveDirectly(const Reader& read, std::int64_t now_ms) {
  if (!header_seen_ || ready_ || in_work_ || done_ || !ahead_.empty()) return std::nullopt;
  const std::size_t room = parser_->BodyRoom();
  if (room < kDirectBytesMin) return std::nullopt;
  const DirectRead direct{room, parser_->ReadBody(room, read)};
  if (direct.result <= 0) return direct;
  now_ms_ = now_ms;
  Parse(parser_->placed());
  return direct;
}

void Http1Session::ParseAhead() {
  if (header_seen_ && ahead_.size() < kWaitingBytesMin) return;
  ahead_.erase(0, Parse(ahead_));
  if (ahead_.empty()) ahead_.shrink_to_fit();  // an idle connection keeps no buffer
}

// How much of `bytes` was used.
std::size_t Http1Session::Parse(std::string_view bytes) {
  const std::size_t all = bytes.size();
  while (!bytes.empty() && !ready_ && !in_work_ && !done_) {
    if (!begun_ && (bytes.front() == '\r' || bytes.front() == '\n')) {  // RFC 9112 section 2.2
      bytes.remove_prefix(1);
      continue;
    }
    if (!std::exchange(begun_, true)) begun_ms_ = now_ms_;
    error_code error;
    const std::size_t used = parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    const bool need_more = error == http::error::need_more;
    if (error && !need_more) {
      OnParseError(error);
      break;
    }
    if (parser_->is_header_done() && !std::exchange(header_seen_, true)) OnHeader();
    if (parser_->is_done()) RequestIsHere(HttpProblem::kNone);
    if (need_more || used == 0) break;
  }
  return all - bytes.size();
}

void Http1Session::OnHeader() {
  if (parser_->is_done() || parser_->version() < 11) return;
  if (protocol::Lower(parser_->request().Find("expect")) == "100-continue") Put("HTTP/1.1 100 Continue\r\n\r\n");
}

void Http1Session::OnParseError(const error_code& error) {
  if (error == http::error::body_limit) return RequestIsHere(HttpProblem::kBodyTooLarge);
  if (error == boost::system::errc::not_enough_memory) return RequestIsHere(HttpProblem::kNoMemory);
  failed_ = true;
  RequestIsHere(error == http::error::header_limit ? HttpProblem::kHeaderTooLarge : HttpProblem::kMalformed);
}

void Http1Session::RequestIsHere(HttpProblem problem) {
  // What is left of a body that was not taken cannot be told from the next request.
  keep_alive_ = problem == HttpProblem::kNone && parser_->keep_alive();
  is_http10_ = parser_->version() < 11;
  ready_ = parser_->Take();
  is_head_ = ready_->method == "HEAD";
  ready_->problem = problem;
  if (problem != HttpProblem::kNone) {
    ready_->body = {};
    ready_->share = {};
  }
  NewParser();
}

std::optional<HttpSession::Arrived> Http1Session::Next() {
  if (!ready_ || in_work_ || output_bytes_ >= limits_.unsent_bytes_max) return std::nullopt;
  in_work_ = true;
  return Arrived{++id_, *std::exchange(ready_, std::nullopt)};
}

void Http1Session::Answer(std::uint64_t id, HttpResponse response) {
  SLUICE_CHECK(in_work_ && id == id_ && !streaming_);
  if (stopping_) keep_alive_ = false;
  std::string head = HeadOf(response);
  fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n\r\n", response.body.size());
  const bool together = response.body.size() <= kTogetherBytesMax;
  if (!is_head_ && together) head += response.body;
  Put(std::move(head));
  if (!is_head_ && !together) Put(std::move(response.body));
  AnswerIsOut();
}

// The next request's turn.
void Http1Session::AnswerIsOut() {
  in_work_ = streaming_ = false;
  if (!keep_alive_) {
    done_ = true;
  } else {
    ParseAhead();
  }
}

void Http1Session::BeginStream(std::uint64_t id, const HttpResponse& head) {
  SLUICE_CHECK(in_work_ && id == id_ && !streaming_);
  streaming_ = true;
  if (stopping_ || is_http10_) keep_alive_ = false;
  Put(HeadOf(head) + (is_http10_ ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n"));
}

void Http1Session::WriteStream(std::uint64_t id, std::string piece) {
  if (!streaming_ || id != id_ || is_head_ || piece.empty()) return;
  if (is_http10_) return Put(std::move(piece));
  Put(fmt::format("{:x}\r\n", piece.size()));
  Put(std::move(piece));
  Put("\r\n");
}

void Http1Session::EndStream(std::uint64_t id) {
  if (!streaming_ || id != id_) return;
  if (!is_http10_ && !is_head_) Put("0\r\n\r\n");
  if (stopping_) keep_alive_ = false;
  AnswerIsOut();
}

// Without the last chunk the client knows that it has not got everything.
void Http1Session::AbortStream(std::uint64_t id) {
  if (!streaming_ || id != id_) return;
  output_.clear();
  output_bytes_ = 0;
  keep_alive_ = false;
  changes_.push_back({id, true});
  AnswerIsOut();
}

// All but the fields that say where the body ends, and the empty line.
std::string Http1Session::HeadOf(const HttpResponse& response) const {
  std::string head;
  head.reserve(kHeadBytesUsual + std::min(response.body.size(), kTogetherBytesMax));
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status, Reason(response.status));
  for (const HttpField field : response.fields.all()) {
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (!keep_alive_) head += "Connection: close\r\n";
  return head;
}

void Http1Session::Put(std::string piece) {
  output_bytes_ += piece.size();
  output_.push_back(std::move(piece));
}

void Http1Session::TakeOutput(std::vector<std::string>& pieces, std::size_t bytes_max) {
  std::size_t bytes = 0;
  std::size_t taken = 0;
  for (; taken < output_.size() && bytes < bytes_max; ++taken) {
    bytes += output_[taken].size();
    pieces.push_back(std::move(output_[taken]));
  }
  const bool had_room = StreamHasRoom(id_);
  output_bytes_ -= bytes;
  if (streaming_ && !had_room && StreamHasRoom(id_)) changes_.push_back({id_, false});
  output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void Http1Session::BeginStop() {
  stopping_ = true;
  if (!ready_ && !in_work_) done_ = true;
}

void Http1Session::GiveUp(std::int64_t now_ms, std::int64_t timeout_ms) {
  if (begun_ && now_ms - begun_ms_ >= timeout_ms && !done_) RequestIsHere(HttpProblem::kTimedOut);
}

}  // namespace

std::unique_ptr<HttpSession> NewHttp1Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory) {
  return std::make_unique<Http1Session>(limits, std::move(memory));
}

}  // namespace sluice::broker::aws
