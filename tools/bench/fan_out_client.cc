// The two transports, and messages by their length.
#include "tools/bench/fan_out_client.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include "protocol/endian.h"
#include "tools/bench/http_text.h"
#include "tools/bench/kinesis_calls.h"
#include "tools/bench/kinesis_load.h"
#include "tools/bench/loopback_socket.h"

namespace sluice::tools {

namespace {

constexpr std::int32_t kWindowBytes = 1 << 20;
constexpr std::string_view kOperation = "SubscribeToShard";

/// HTTP/1.1: the pieces between the sizes.
class ChunkReader : public BodyReader {
 public:
  explicit ChunkReader(LoopbackSocket socket) : socket_(std::move(socket)) {}

  Status Read(std::string& to) override {
    if (!begun_) {
      if (Status status = ReadHead(); !status.ok()) return status;
    }
    for (const std::size_t before = to.size(); to.size() == before;) {
      if (in_.empty()) {
        if (Status status = socket_.Receive(in_); !status.ok()) return status;
      }
      if (Status status = TakePieces(to); !status.ok()) return status;
    }
    return {};
  }

 private:
  Status ReadHead() {
    while (HttpHead(in_).empty()) {
      if (Status status = socket_.Receive(in_); !status.ok()) return status;
    }
    if (!in_.starts_with("HTTP/1.1 200 ")) {
      return Status(Code::kInternal, fmt::format("{} was refused: {}", kOperation, in_.substr(0, 600)));
    }
    in_.erase(0, HttpHead(in_).size());
    begun_ = true;
    return {};
  }

  /// Moves what is complete of the chunks in in_ to `to`.
  Status TakePieces(std::string& to) {
    std::string_view rest = in_;
    while (!rest.empty()) {
      if (left_ > 2) {
        const std::string_view piece = rest.substr(0, left_ - 2);
        to += piece;
        left_ -= piece.size();
        rest.remove_prefix(piece.size());
      } else if (left_ > 0) {  // the line's end behind a chunk
        const std::size_t bytes = std::min(left_, rest.size());
        left_ -= bytes;
        rest.remove_prefix(bytes);
      } else {
        const std::size_t end = rest.find("\r\n");
        if (end == rest.npos) break;
        if (std::from_chars(rest.data(), rest.data() + end, left_, 16).ec != std::errc() || left_ == 0) {
          return Status(Code::kUnavailable, "the subscription has ended");
        }
        left_ += 2;
        rest.remove_prefix(end + 2);
      }
    }
    in_.erase(0, in_.size() - rest.size());
    if (!in_.empty() && left_ == 0) return socket_.Receive(in_);  // the rest of a size
    return {};
  }

  LoopbackSocket socket_;
  std::string in_;        // not taken yet
  std::size_t left_ = 0;  // of the chunk, with its line's end
  bool begun_ = false;
};

/// HTTP/2 by nghttp2.
class StreamReader : public BodyReader {
 public:
  explicit StreamReader(LoopbackSocket socket) : socket_(std::move(socket)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
  }
  ~StreamReader() override { nghttp2_session_del(session_); }

  Status Send(std::uint16_t port, std::string_view body) {
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
    const std::string authority = fmt::format("127.0.0.1:{}", port);
    const std::string target = fmt::format("Kinesis_20131202.{}", kOperation);
    const std::array<std::pair<std::string_view, std::string_view>, 6> fields{
        {{":method", "POST"},
         {":scheme", "http"},
         {":path", "/"},
         {":authority", authority},
         {"content-type", "application/x-amz-json-1.1"},
         {"x-amz-target", target}}};
    std::array<nghttp2_nv, fields.size()> out;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      out.at(i) = {Bytes(fields.at(i).first), Bytes(fields.at(i).second), fields.at(i).first.size(),
                   fields.at(i).second.size(), NGHTTP2_NV_FLAG_NONE};
    }
    body_ = body;
    nghttp2_data_provider provider{{.ptr = this}, ReadBody};
    nghttp2_submit_request(session_, nullptr, out.data(), out.size(), &provider, nullptr);
    return Flush();
  }

  Status Read(std::string& to) override {
    data_ = &to;
    for (const std::size_t before = to.size(); to.size() == before;) {
      if (closed_) return Status(Code::kUnavailable, "the subscription has ended");
      in_.clear();
      if (Status status = socket_.Receive(in_); !status.ok()) return status;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(in_.data());
      if (nghttp2_session_mem_recv(session_, bytes, in_.size()) < 0) {
        return Status(Code::kCorruption, "what came is no HTTP/2");
      }
      if (Status status = Flush(); !status.ok()) return status;
      if (!status_.empty() && status_ != "200") {
        return Status(Code::kInternal, fmt::format("{} was refused with {}: {}", kOperation, status_, to));
      }
    }
    return {};
  }

 private:
  static std::uint8_t* Bytes(std::string_view text) {  // nghttp2 only reads it
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  }
  static StreamReader& Of(void* user) { return *static_cast<StreamReader*>(user); }
  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
    if (std::string_view(reinterpret_cast<const char*>(name), name_size) == ":status") {
      Of(user).status_.assign(reinterpret_cast<const char*>(value), value_size);
    }
    return 0;
  }
  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes, std::size_t size,
                    void* user) {
    Of(user).data_->append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int OnClose(nghttp2_session*, std::int32_t, std::uint32_t, void* user) {
    Of(user).closed_ = true;
    return 0;
  }
  static ssize_t ReadBody(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t size, std::uint32_t* flags,
                          nghttp2_data_source* source, void*) {
    std::string& body = Of(source->ptr).body_;
    const std::size_t bytes = body.copy(reinterpret_cast<char*>(out), size);
    body.erase(0, bytes);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(bytes);
  }

  Status Flush() {
    const std::uint8_t* bytes = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(session_, &bytes)) > 0;) {
      const std::string_view out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
      if (Status status = socket_.Send(out); !status.ok()) return status;
    }
    return {};
  }

  LoopbackSocket socket_;
  nghttp2_session* session_ = nullptr;
  std::string body_;  // of the request, not sent yet
  std::string in_;
  std::string status_;
  std::string* data_ = nullptr;  // where the body goes, during Read
  bool closed_ = false;
};

}  // namespace

Result<std::unique_ptr<FanOutClient>> FanOutClient::Subscribe(std::uint16_t port, HttpVersion version,
                                                              std::string_view body) {
  auto socket = LoopbackSocket::Connect(port);
  if (!socket) return Error(socket.error());
  if (version == HttpVersion::kHttp1) {
    if (Status sent = socket->Send(KinesisRequest(port, kOperation, body)); !sent.ok()) return Error(sent);
    return std::unique_ptr<FanOutClient>(new FanOutClient(std::make_unique<ChunkReader>(std::move(*socket))));
  }
  auto reader = std::make_unique<StreamReader>(std::move(*socket));
  if (Status sent = reader->Send(port, body); !sent.ok()) return Error(sent);
  return std::unique_ptr<FanOutClient>(new FanOutClient(std::move(reader)));
}

Result<std::size_t> FanOutClient::NextRecords() {
  constexpr std::size_t kLengthBytes = 4;
  while (true) {
    const std::string_view rest = std::string_view(bytes_).substr(taken_);
    const std::size_t size = rest.size() < kLengthBytes ? 0 : protocol::LoadBigEndian<std::uint32_t>(rest.data());
    if (size > 0 && rest.size() >= size) {
      taken_ += size;
      const std::string_view message = rest.substr(0, size);
      if (message.contains(":exception-type")) {
        return Error(Code::kInternal, fmt::format("the subscription ends with {}", message.substr(0, 300)));
      }
      return CountRecords(message);
    }
    bytes_.erase(0, std::exchange(taken_, 0));
    if (Status status = reader_->Read(bytes_); !status.ok()) return Error(status);
  }
}

Status FanOutClient::ReadRecords(std::size_t records) {
  while (records > 0) {
    const auto got = NextRecords();
    if (!got) return got.error();
    if (*got > records) return Status(Code::kInternal, "the subscription gives more records than there are");
    records -= *got;
  }
  return {};
}

}  // namespace sluice::tools
