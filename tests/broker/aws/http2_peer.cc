// The client's side by nghttp2.
#include "tests/broker/aws/http2_peer.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

#include "protocol/check.h"

namespace sluice::broker::aws {

namespace {

constexpr std::size_t kHeaderBytesMax = 1u << 20;  // of a request

}  // namespace

class Http2Peer::Impl {
 public:
  struct Body {
    std::string bytes;
    bool ends = false;
  };

  explicit Impl(Windows windows) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          Of(user).answers[frame->hd.stream_id].fields.emplace(View(name, name_size), View(value, value_size));
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size, void* user) {
          Of(user).answers[id].body += View(bytes, size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
              (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            Of(user).answers[frame->hd.stream_id].ended = true;
          }
          if (frame->hd.type == NGHTTP2_RST_STREAM) {
            Of(user).answers[frame->hd.stream_id].reset = frame->rst_stream.error_code;
          }
          if (frame->hd.type == NGHTTP2_GOAWAY) {
            Of(user).goaway = {frame->goaway.error_code, frame->goaway.last_stream_id};
          }
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_max_send_header_block_length(option, kHeaderBytesMax);
    if (windows == Windows::kShut) nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_client_new2(&session, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Impl() { nghttp2_session_del(session); }

  static Impl& Of(void* user) { return *static_cast<Impl*>(user); }
  static std::string_view View(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }
  static ssize_t Read(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t size, std::uint32_t* flags,
                      nghttp2_data_source*, void* user) {
    Body& body = Of(user).bodies[id];
    const std::size_t bytes = std::min(size, body.bytes.size());
    std::memcpy(out, body.bytes.data(), bytes);
    body.bytes.erase(0, bytes);
    if (body.bytes.empty() && body.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (bytes == 0 && !body.ends) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(bytes);
  }

  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Body> bodies;
  std::map<std::int32_t, Answer> answers;
  std::optional<std::pair<std::uint32_t, std::int32_t>> goaway;
};

Http2Peer::Http2Peer(Windows windows) : impl_(std::make_unique<Impl>(windows)) {}
Http2Peer::~Http2Peer() = default;

std::int32_t Http2Peer::Post(const Fields& fields, std::string_view body, bool ends) {
  std::vector<nghttp2_nv> list;
  const auto add = [&list](std::string_view name, std::string_view value) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                    NGHTTP2_NV_FLAG_NONE});
  };
  add(":method", "POST");
  add(":scheme", "http");
  add(":path", "/");
  add(":authority", "localhost:4566");
  for (const auto& [name, value] : fields) add(name, value);
  const nghttp2_data_provider provider{.source = {}, .read_callback = Impl::Read};
  const std::int32_t id = nghttp2_submit_request(impl_->session, nullptr, list.data(), list.size(), &provider, nullptr);
  SLUICE_CHECK(id > 0);
  impl_->bodies[id] = {std::string(body), ends};
  return id;
}

void Http2Peer::Append(std::int32_t stream, std::string_view body, bool ends) {
  impl_->bodies[stream].bytes += body;
  impl_->bodies[stream].ends = ends;
  nghttp2_session_resume_data(impl_->session, stream);
}

void Http2Peer::Reset(std::int32_t stream) {
  nghttp2_submit_rst_stream(impl_->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void Http2Peer::OpenWindow(std::int32_t stream, std::int32_t bytes) {
  nghttp2_submit_window_update(impl_->session, NGHTTP2_FLAG_NONE, stream, bytes);
}

std::string Http2Peer::Output() {
  std::string out;
  const std::uint8_t* frame = nullptr;
  ssize_t size = 0;
  while ((size = nghttp2_session_mem_send(impl_->session, &frame)) > 0) {
    out += Impl::View(frame, static_cast<std::size_t>(size));
  }
  return out;
}

bool Http2Peer::Receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(impl_->session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) >=
         0;
}

const Http2Peer::Answer& Http2Peer::answer(std::int32_t stream) { return impl_->answers[stream]; }
std::optional<std::pair<std::uint32_t, std::int32_t>> Http2Peer::goaway() const { return impl_->goaway; }

}  // namespace sluice::broker::aws
