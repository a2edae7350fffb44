// HTTP/1.1 (and 1.0) by Beast's parser. One request is worked on at a time, so that pipelined ones are answered in
// order; the bytes of the next ones wait, up to kAheadBytesMax. An answer in pieces is sent in chunks, or until the
// connection closes where the client knows nothing newer than HTTP/1.0.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "broker/api/aws/http_session.h"
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

// Grows as the bytes come, up to four times as far where the header says so, and keeps the padding that readers of JSON
// want.
struct GrowingBody {
  struct value_type {
    std::string bytes;
    BodyShare share;
  };
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>& announced, error_code& error) {
      announced_ = announced.value_or(0);
      error = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      const std::size_t more = boost::asio::buffer_size(buffers);
      error = {};
      if (!body_.share.Take(more)) {
        error = make_error_code(boost::system::errc::not_enough_memory);
        return 0;
      }
      const std::size_t come = body_.bytes.size() + more;
      if (come + kPadding > body_.bytes.capacity()) {
        body_.bytes.reserve(kPadding + (announced_ > 0 ? std::min<std::uint64_t>(announced_, 4 * come) : 2 * come));
      }
      for (auto it = boost::asio::buffer_sequence_begin(buffers); it != boost::asio::buffer_sequence_end(buffers);
           ++it) {
        const boost::asio::const_buffer piece(*it);
        body_.bytes.append(static_cast<const char*>(piece.data()), piece.size());
      }
      return more;
    }
    void finish(error_code& error) { error = {}; }

   private:
    static constexpr std::size_t kPadding = protocol::aws::Document::kPaddingBytes;

    value_type& body_;
    std::uint64_t announced_ = 0;  // bytes; 0 where the body comes in chunks
  };
};
using Parser = http::request_parser<GrowingBody>;

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string_view Reason(int status) { return View(http::obsolete_reason(static_cast<http::status>(status))); }

class Http1Session final : public HttpSession {
 public:
  Http1Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory)
      : limits_(limits), memory_(std::move(memory)) {
    NewParser();
  }

  void Receive(std::string_view bytes, std::int64_t now_ms) override;
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
  bool unsent() const override { return output_bytes_ > 0; }
  bool waits_for_peer() const override { return false; }
  bool failed() const override { return failed_; }
  bool done() const override { return done_; }
  void BeginStop() override;
  void GiveUp(std::int64_t ms) override;

 private:
  void NewParser();
  std::size_t Parse(std::string_view bytes);
  void ParseAhead();
  void OnHeader();
  void OnParseError(const error_code& error);
  void RequestIsHere(HttpProblem problem);
  void Refuse(int status);
  void Put(std::string piece);
  void SendHead(const HttpResponse& response, const std::string& framing);
  void AnswerIsOut();

  const HttpLimits limits_;
  const std::shared_ptr<BodyMemory> memory_;
  std::optional<Parser> parser_;
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
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser_->body_limit(limits_.body_bytes_max);
  parser_->eager(true);
  parser_->get().body().share = BodyShare(memory_);
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
  const auto& request = parser_->get();
  if (parser_->is_done() || request.version() < 11) return;
  if (protocol::Lower(View(request[http::field::expect])) == "100-continue") Put("HTTP/1.1 100 Continue\r\n\r\n");
}

void Http1Session::OnParseError(const error_code& error) {
  if (error == http::error::body_limit) return RequestIsHere(HttpProblem::kBodyTooLarge);
  if (error == boost::system::errc::not_enough_memory) return RequestIsHere(HttpProblem::kNoMemory);
  failed_ = true;
  Refuse(error == http::error::header_limit ? 431 : 400);
}

void Http1Session::RequestIsHere(HttpProblem problem) {
  auto& message = parser_->get();
  HttpRequest request;
  request.method = View(message.method_string());
  const std::string_view target = View(message.target());
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = target.substr(0, question);
  request.query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message)
    request.fields.push_back({protocol::Lower(View(field.name_string())), std::string(View(field.value()))});
  request.problem = problem;
  if (problem == HttpProblem::kNone) {
    request.body = std::move(message.body().bytes);
    request.share = std::move(message.body().share);
  }
  // What is left of a body that was not taken cannot be told from the next request.
  keep_alive_ = problem == HttpProblem::kNone && message.keep_alive();
  is_head_ = request.method == "HEAD";
  is_http10_ = message.version() < 11;
  ready_ = std::move(request);
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
  SendHead(response, fmt::format("Content-Length: {}\r\n", response.body.size()));
  if (!is_head_ && !response.body.empty()) Put(std::move(response.body));
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
  SendHead(head, is_http10_ ? "" : "Transfer-Encoding: chunked\r\n");
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

// `framing`: the fields that say where the body ends.
void Http1Session::SendHead(const HttpResponse& response, const std::string& framing) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, Reason(response.status));
  for (const HttpField& field : response.fields)
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  if (!keep_alive_) head += "Connection: close\r\n";
  head += framing + "\r\n";
  Put(std::move(head));
}

// An answer to what is no request, and the end.
void Http1Session::Refuse(int status) {
  keep_alive_ = false;
  SendHead({.status = status, .fields = {}, .body = {}}, "Content-Length: 0\r\n");
  done_ = true;
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

void Http1Session::GiveUp(std::int64_t ms) {
  if (begun_ && begun_ms_ <= ms && !done_) Refuse(408);
}

}  // namespace

std::unique_ptr<HttpSession> NewHttp1Session(const HttpLimits& limits, std::shared_ptr<BodyMemory> memory) {
  return std::make_unique<Http1Session>(limits, std::move(memory));
}

}  // namespace sluice::broker::aws
