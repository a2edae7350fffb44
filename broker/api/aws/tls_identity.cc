// OpenSSL's context: what is spoken, and the two texts in PEM.
#include "broker/api/aws/tls_identity.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "protocol/check.h"
#include "protocol/freer.h"

namespace sluice::broker::aws {
namespace {

using protocol::Freer;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

// Forward secret, and none that HTTP/2 forbids (RFC 9113 appendix A).
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kProtocols("\x02h2\x08http/1.1", 12);  // as ALPN writes them

Bio Reader(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Status Wrong(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return Status(Code::kInvalidArgument, reason == nullptr ? std::string(what) : fmt::format("{}: {}", what, reason));
}

// A client that names protocols and none of ours is told so, as RFC 7301 asks.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes, const unsigned char* offered,
                   unsigned int offered_bytes, void*) {
  unsigned char* found = nullptr;
  const int result =
      SSL_select_next_proto(&found, chosen_bytes, reinterpret_cast<const unsigned char*>(kProtocols.data()),
                            static_cast<unsigned int>(kProtocols.size()), offered, offered_bytes);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<SSL_CTX> NewContext() {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SLUICE_CHECK(context != nullptr);
  SLUICE_CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  SLUICE_CHECK(SSL_CTX_set_cipher_list(context.get(), kTls12Ciphers) == 1);
  // A session that the server keeps is memory; tickets make a second handshake short without.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // an idle connection has no buffers
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  return context;
}

Status UseCertificate(SSL_CTX* context, std::string_view text) {
  const Bio reader = Reader(text);
  const Certificate own(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1) {
    return Wrong("aws.tls_certificate is no certificate in PEM");
  }
  while (Certificate next{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) {
      return Wrong("aws.tls_certificate has a chain that cannot be used");
    }
    (void)next.release();  // the context's now
  }
  ERR_clear_error();  // the end of the text counts as an error
  return {};
}

Status UseKey(SSL_CTX* context, std::string_view text) {
  // Without a callback OpenSSL would ask at the terminal for the password of an encrypted key.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Key key(PEM_read_bio_PrivateKey(Reader(text).get(), nullptr, no_password, nullptr));
  if (key == nullptr) return Wrong("aws.tls_key is no private key in PEM without a password");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Wrong("aws.tls_key does not belong to aws.tls_certificate");
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::New(std::string_view certificate, std::string_view key) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context = NewContext();
  Status status = UseCertificate(context.get(), certificate);
  if (status.ok()) status = UseKey(context.get(), key);
  if (!status.ok()) return Error(status);
  return std::shared_ptr<const TlsIdentity>(new TlsIdentity(std::move(context)));
}

}  // namespace sluice::broker::aws
