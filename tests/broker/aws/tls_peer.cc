// OpenSSL's client over its memory BIOs.
#include "tests/broker/aws/tls_peer.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>

#include "protocol/freer.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

using protocol::Freer;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio, &text);
  return {text, static_cast<std::size_t>(bytes)};
}

}  // namespace

class TlsPeer::Impl {
 public:
  explicit Impl(const Options& options)
      : context(SSL_CTX_new(TLS_client_method())), ssl(SSL_new(context.get())), in(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl.get(), in, out = BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl.get());
    if (options.old_version) SSL_set_max_proto_version(ssl.get(), TLS1_2_VERSION);
    std::string wire;
    for (const std::string& name : options.protocols) wire += static_cast<char>(name.size()) + name;
    SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned int>(wire.size()));
    SSL_do_handshake(ssl.get());
  }

  const std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> context;
  const std::unique_ptr<SSL, Freer<SSL_free>> ssl;
  BIO* in;
  BIO* out;
  bool failed = false;
};

TlsPeer::TlsPeer(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
TlsPeer::~TlsPeer() = default;

std::string TlsPeer::Output() {
  std::string bytes = TextOf(impl_->out);
  BIO_reset(impl_->out);
  return bytes;
}

std::string TlsPeer::Receive(std::string_view bytes) {
  BIO_write(impl_->in, bytes.data(), static_cast<int>(bytes.size()));
  std::string plain;
  std::array<char, 16u << 10> record;
  int got = 0;
  while ((got = SSL_read(impl_->ssl.get(), record.data(), record.size())) > 0) {
    plain.append(record.data(), static_cast<std::size_t>(got));
  }
  const int error = SSL_get_error(impl_->ssl.get(), got);
  impl_->failed = impl_->failed || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN);
  return plain;
}

void TlsPeer::Send(std::string_view plain) {
  SSL_write(impl_->ssl.get(), plain.data(), static_cast<int>(plain.size()));
}

void TlsPeer::ChangeKeys() {
  REQUIRE(SSL_key_update(impl_->ssl.get(), SSL_KEY_UPDATE_REQUESTED) == 1);
  REQUIRE(SSL_do_handshake(impl_->ssl.get()) == 1);
}

void TlsPeer::Close() { SSL_shutdown(impl_->ssl.get()); }
bool TlsPeer::connected() const { return SSL_is_init_finished(impl_->ssl.get()) == 1; }
bool TlsPeer::failed() const { return impl_->failed; }
bool TlsPeer::ended() const { return (SSL_get_shutdown(impl_->ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
std::string TlsPeer::version() const { return SSL_get_version(impl_->ssl.get()); }

std::string TlsPeer::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int bytes = 0;
  SSL_get0_alpn_selected(impl_->ssl.get(), &name, &bytes);
  return bytes == 0 ? "" : std::string(reinterpret_cast<const char*>(name), bytes);
}

std::string TlsPeer::certificate() const {
  const Bio text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(text.get(), SSL_get0_peer_certificate(impl_->ssl.get()));
  return TextOf(text.get());
}

int TlsPeer::chain_size() const { return sk_X509_num(SSL_get_peer_cert_chain(impl_->ssl.get())); }

TlsClient::TlsClient(std::uint16_t port, const TlsPeer::Options& options) : HttpClient(port), peer_(options) {
  while (!peer_.connected() && !peer_.failed()) {
    HttpClient::Send(peer_.Output());
    const std::string bytes = HttpClient::ReceiveSome();
    if (bytes.empty()) return;
    ahead_ += peer_.Receive(bytes);
  }
  HttpClient::Send(peer_.Output());
}

void TlsClient::Send(std::string_view plain) {
  if (!plain.empty()) peer_.Send(plain);
  HttpClient::Send(peer_.Output());
}

std::string TlsClient::ReceiveSome() {
  while (ahead_.empty()) {
    const std::string bytes = HttpClient::ReceiveSome();
    if (bytes.empty()) return {};
    ahead_ = peer_.Receive(bytes);
    HttpClient::Send(peer_.Output());
  }
  return std::exchange(ahead_, {});
}

TestCertificate::TestCertificate() {
  const std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const std::unique_ptr<X509, Freer<X509_free>> x509(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(x509.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3'600);
  X509_set_pubkey(x509.get(), pair.get());
  X509_sign(x509.get(), pair.get(), EVP_sha256());
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  const Bio key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), x509.get());
  PEM_write_bio_PrivateKey(key_text.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
  certificate = TextOf(certificate_text.get());
  key = TextOf(key_text.get());
}

}  // namespace sluice::broker::aws
