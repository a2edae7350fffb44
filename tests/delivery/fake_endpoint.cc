// Beast, blocking, on one thread.
#include "tests/delivery/fake_endpoint.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <mutex>
#include <thread>

#include "protocol/ascii.h"
#include "protocol/freer.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using protocol::Freer;

tcp::endpoint AnyPort() { return {asio::ip::address_v4::loopback(), 0}; }

/// Self-signed, for 127.0.0.1; put into `context`. Returns it in PEM.
std::string UseNewCertificate(asio::ssl::context& context) {
  const std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const std::unique_ptr<X509, Freer<X509_free>> certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> address(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"));
  X509_add_ext(certificate.get(), address.get(), -1);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  REQUIRE(SSL_CTX_use_certificate(context.native_handle(), certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.native_handle(), key.get()) == 1);
  const std::unique_ptr<BIO, Freer<BIO_free>> memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

class FakeEndpoint::Impl {
 public:
  Impl(Handler handler, Security security)
      : handler_(std::move(handler)), security_(security), acceptor_(io_, AnyPort()) {
    if (security_ == Security::kTls) certificate_ = UseNewCertificate(context_);
    thread_ = std::thread([this] { Run(); });
  }
  ~Impl() {
    stopping_ = true;
    error_code ignored;
    tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);  // wakes accept
    thread_.join();
  }

  std::string Url(std::string_view path) const {
    return fmt::format("{}://127.0.0.1:{}{}", security_ == Security::kTls ? "https" : "http",
                       acceptor_.local_endpoint().port(), path);
  }
  const std::string& certificate() const { return certificate_; }
  std::vector<Request> Requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Run() {
    while (!stopping_) {
      tcp::socket socket(io_);
      error_code error;
      acceptor_.accept(socket, error);
      if (error || stopping_) continue;
      if (security_ == Security::kPlain) {
        ServeOne(socket, error);
        continue;
      }
      asio::ssl::stream<tcp::socket> stream(std::move(socket), context_);
      stream.handshake(asio::ssl::stream_base::server, error);
      if (!error) ServeOne(stream, error);
    }
  }

  template <typename Stream>
  void ServeOne(Stream& stream, error_code& error) {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(80u << 20);
    http::read(stream, buffer, parser, error);
    if (error) return;
    const auto& message = parser.get();
    Request request{std::string(message.target()), std::string(message[http::field::content_type]), message.body()};
    for (const auto& field : message) {
      request.headers.emplace_back(protocol::Lower(std::string_view(field.name_string())), std::string(field.value()));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = handler_(request);
    if (answer.how == Answer::How::kCut) return;
    if (answer.how == Answer::How::kNever) {
      http::request<http::string_body> never;
      http::read(stream, buffer, never, error);
      return;
    }
    http::response<http::string_body> response;
    response.result(static_cast<unsigned>(answer.status));
    response.body() = answer.body;
    for (const auto& [name, value] : answer.headers) response.set(name, value);
    response.keep_alive(false);
    response.prepare_payload();
    http::write(stream, response, error);
  }

  const Handler handler_;
  const Security security_;
  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  std::string certificate_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;  // guarded by mutex_
  std::thread thread_;
};

FakeEndpoint::FakeEndpoint(Handler handler, Security security)
    : impl_(std::make_unique<Impl>(std::move(handler), security)) {}
FakeEndpoint::~FakeEndpoint() = default;

std::string FakeEndpoint::Url(std::string_view path) const { return impl_->Url(path); }
const std::string& FakeEndpoint::certificate() const { return impl_->certificate(); }
std::vector<FakeEndpoint::Request> FakeEndpoint::Requests() const { return impl_->Requests(); }

std::string FakeEndpoint::Request::Header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return "";
}

std::string UrlOfNobody() {
  asio::io_context io;
  tcp::acceptor acceptor(io);
  acceptor.open(tcp::v4());
  acceptor.bind(AnyPort());  // and no listen; the port is free again afterwards
  return fmt::format("http://127.0.0.1:{}/", acceptor.local_endpoint().port());
}

}  // namespace sluice::delivery
