// OpenSSL between two strings. Its own memory BIOs would keep the memory of the largest message; this one keeps none.
#include "broker/api/aws/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "protocol/check.h"

namespace sluice::broker::aws {
namespace {

constexpr std::size_t kRecordBytes = 16u << 10;  // the largest of TLS

TlsStream::Pipe& PipeOf(BIO* bio) { return *static_cast<TlsStream::Pipe*>(BIO_get_data(bio)); }

int ReadPipe(BIO* bio, char* to, int bytes_max) {
  BIO_clear_retry_flags(bio);
  std::string_view& in = PipeOf(bio).in;
  if (in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t bytes = std::min(in.size(), static_cast<std::size_t>(bytes_max));
  std::memcpy(to, in.data(), bytes);
  in.remove_prefix(bytes);
  return static_cast<int>(bytes);
}

int WritePipe(BIO* bio, const char* from, int bytes) {
  BIO_clear_retry_flags(bio);
  PipeOf(bio).out.append(from, static_cast<std::size_t>(bytes));
  return bytes;
}

long ControlPipe(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* NewPipeMethod() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "two strings");
  SLUICE_CHECK(method != nullptr);
  BIO_meth_set_read(method, ReadPipe);
  BIO_meth_set_write(method, WritePipe);
  BIO_meth_set_ctrl(method, ControlPipe);
  return method;
}

std::shared_ptr<SSL> NewServerSide(SSL_CTX* context, TlsStream::Pipe& pipe) {
  static const BIO_METHOD* const method = NewPipeMethod();
  std::shared_ptr<SSL> ssl(SSL_new(context), SSL_free);
  BIO* bio = BIO_new(method);
  SLUICE_CHECK(ssl != nullptr && bio != nullptr);
  BIO_set_data(bio, &pipe);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace

TlsStream::TlsStream(std::shared_ptr<const TlsIdentity> identity)
    : identity_(std::move(identity)), ssl_(NewServerSide(identity_->context(), pipe_)) {}

std::string TlsStream::Receive(std::string_view bytes) {
  std::string plain;
  if (failed_ || ended_) return plain;
  ERR_clear_error();  // of another connection of this thread
  pipe_.in = bytes;
  std::array<char, kRecordBytes> record;
  int got = 0;
  while ((got = SSL_read(ssl_.get(), record.data(), static_cast<int>(record.size()))) > 0) {
    plain.append(record.data(), static_cast<std::size_t>(got));
  }
  pipe_.in = {};
  const int why = SSL_get_error(ssl_.get(), got);
  ended_ = why == SSL_ERROR_ZERO_RETURN;
  failed_ = !ended_ && why != SSL_ERROR_WANT_READ;
  return plain;
}

void TlsStream::Send(std::string_view plain) {
  if (failed_ || closed_ || plain.empty()) return;
  ERR_clear_error();
  std::size_t taken = 0;
  failed_ = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &taken) != 1;
  SLUICE_CHECK(failed_ || taken == plain.size());  // the pipe always has room
}

bool TlsStream::agreed_on_http2() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

void TlsStream::Close() {
  if (failed_ || SSL_is_init_finished(ssl_.get()) == 0 || std::exchange(closed_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

std::string TlsStream::TakeOutput() { return std::exchange(pipe_.out, {}); }

}  // namespace sluice::broker::aws
