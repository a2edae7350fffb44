// The certificate that the broker makes for itself: what it says, who may read it, that it is kept.
#include "broker/self_made_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "broker/server.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

struct DataDir {
  DataDir() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-certificate-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~DataDir() { std::filesystem::remove_all(path); }
  std::string Certificate() const { return Read("/tls/certificate.pem"); }
  std::string Key() const { return Read("/tls/key.pem"); }

  std::string Read(const std::string& file) const {
    std::ifstream stream(path + file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::string path;
  std::unique_ptr<storage::Env> env = storage::NewPosixEnv();
};

TEST_CASE("SelfMadeCertificate: one for this host, with a key that only its owner may read", "[broker]") {
  const DataDir dir;
  const auto files = SelfMadeCertificate(*dir.env, dir.path);
  REQUIRE(files.has_value());
  CHECK(aws::TlsCertificate::Open(*dir.env, *files).has_value());
  using std::filesystem::perms;
  CHECK(std::filesystem::status(files->key).permissions() == (perms::owner_read | perms::owner_write));
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path + "/tls"), {}) == 2);

  const std::string text = dir.Certificate();
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                      BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                         X509_free);
  REQUIRE(x509 != nullptr);
  CHECK(X509_check_host(x509.get(), "localhost", 0, 0, nullptr) == 1);
  CHECK(X509_check_ip_asc(x509.get(), "127.0.0.1", 0) == 1);
  CHECK(X509_check_ip_asc(x509.get(), "::1", 0) == 1);
  CHECK(X509_check_host(x509.get(), "example.com", 0, 0, nullptr) == 0);
  std::array<char, 256> host{};
  REQUIRE(gethostname(host.data(), host.size() - 1) == 0);
  CHECK(X509_check_host(x509.get(), host.data(), 0, 0, nullptr) == 1);
  CHECK(EVP_PKEY_get_bits(X509_get0_pubkey(x509.get())) == 256);
  CHECK(X509_verify(x509.get(), X509_get0_pubkey(x509.get())) == 1);
}

TEST_CASE("SelfMadeCertificate: is kept, and made anew with its key where one of them is missing", "[broker]") {
  const DataDir dir;
  REQUIRE(SelfMadeCertificate(*dir.env, dir.path).has_value());
  const std::string certificate = dir.Certificate();
  const std::string key = dir.Key();
  REQUIRE(SelfMadeCertificate(*dir.env, dir.path).has_value());
  CHECK(dir.Certificate() == certificate);
  CHECK(dir.Key() == key);
  std::filesystem::remove(dir.path + GENERATE("/tls/certificate.pem", "/tls/key.pem"));
  std::ofstream(dir.path + "/tls/key.pem.new") << "left by a crash";
  const auto files = SelfMadeCertificate(*dir.env, dir.path);
  REQUIRE(files.has_value());
  CHECK(dir.Certificate() != certificate);
  CHECK(dir.Key() != key);
  CHECK(aws::TlsCertificate::Open(*dir.env, *files).has_value());
}

TEST_CASE("SelfMadeCertificate: a directory that cannot be written is named", "[broker]") {
  const DataDir dir;
  std::ofstream(dir.path + "/tls") << "no directory";
  const auto files = SelfMadeCertificate(*dir.env, dir.path);
  REQUIRE_FALSE(files.has_value());
  CHECK(files.error().message().find(dir.path + "/tls") != std::string::npos);
}

TEST_CASE("Server Start: the self-made certificate is kept over a restart", "[broker]") {
  const DataDir dir;
  Config config;
  config.server.data_dir = dir.path;
  config.server.allow_volatile = true;  // wherever the tests' temporary directory is
  config.delivery.lake_dir = dir.path + "/lake";
  config.native.port = 0;
  config.admin.port = 0;
  config.aws.port = 0;
  config.aws.tls.port = 0;
  config.log.level = "error";
  std::string first;
  for (int start = 0; start < 2; ++start) {
    const auto server = Server::Start(config);
    if (!server) FAIL(server.error().ToString());
    CHECK((*server)->ports().aws_tls != 0);
    if (start == 0) first = dir.Certificate();
  }
  CHECK(!first.empty());
  CHECK(dir.Certificate() == first);
}

}  // namespace
}  // namespace sluice::broker
