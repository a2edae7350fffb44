// The wheel's libparquet exports OpenSSL's symbols. One process does TLS, an MD5 and a Parquet write, and checks that
// it is the system's libcrypto that served them.
#include <arrow/api.h>
#include <arrow/filesystem/s3fs.h>
#include <arrow/io/memory.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <parquet/arrow/writer.h>
#include <simdjson.h>

#include <memory>
#include <string>

#include "protocol/freer.h"
#include "tests/catch.h"

namespace {

using sluice::protocol::Freer;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Freer<SSL_free>>;

std::string LibraryOf(const void* address) {
  Dl_info info{};
  return address != nullptr && dladdr(address, &info) != 0 ? info.dli_fname : "";
}

Context ServerContext() {
  std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  std::unique_ptr<X509, Freer<X509_free>> certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  Context context(SSL_CTX_new(TLS_server_method()));
  REQUIRE(SSL_CTX_use_certificate(context.get(), certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  return context;
}

}  // namespace

TEST_CASE("LinkOrder OpenSSL: comes from the system, not from libparquet", "[delivery]") {
  for (const char* function : {"EVP_DigestInit_ex", "EVP_EncryptInit_ex", "X509_new", "BIO_new", "SSL_new"}) {
    INFO(function);
    CHECK(LibraryOf(dlsym(RTLD_DEFAULT, function)).find(function[0] == 'S' ? "libssl" : "libcrypto") !=
          std::string::npos);
  }
}

TEST_CASE("LinkOrder simdjson: comes from the system, not from libparquet", "[delivery]") {
  const void* function = reinterpret_cast<const void*>(&simdjson::get_active_implementation);
  CHECK(LibraryOf(function).find("libsimdjson") != std::string::npos);
}

TEST_CASE("LinkOrder S3: starts, and leaves OpenSSL as it is", "[delivery]") {
  REQUIRE(arrow::fs::InitializeS3(arrow::fs::S3GlobalOptions::Defaults()).ok());
  arrow::fs::S3Options options = arrow::fs::S3Options::FromAccessKey("key", "secret");
  options.region = "us-east-1";
  CHECK(arrow::fs::S3FileSystem::Make(options).ok());
  CHECK(arrow::fs::FinalizeS3().ok());
  CHECK(LibraryOf(dlsym(RTLD_DEFAULT, "EVP_DigestInit_ex")).find("libcrypto") != std::string::npos);
}

TEST_CASE("LinkOrder OpenSSL: TLS, MD5 and Parquet in one process", "[delivery]") {
  Context server_context = ServerContext();
  Context client_context(SSL_CTX_new(TLS_client_method()));
  Connection server(SSL_new(server_context.get()));
  Connection client(SSL_new(client_context.get()));
  BIO* server_end = nullptr;
  BIO* client_end = nullptr;
  REQUIRE(BIO_new_bio_pair(&server_end, 0, &client_end, 0) == 1);
  SSL_set_bio(server.get(), server_end, server_end);
  SSL_set_bio(client.get(), client_end, client_end);
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client.get());
  for (int step = 0; step < 8; ++step) {
    SSL_do_handshake(client.get());
    SSL_do_handshake(server.get());
  }
  CHECK(SSL_is_init_finished(client.get()) == 1);
  CHECK(SSL_is_init_finished(server.get()) == 1);

  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_bytes = 0;
  REQUIRE(EVP_Digest("a", 1, digest, &digest_bytes, EVP_md5(), nullptr) == 1);
  CHECK(digest_bytes == 16);
  CHECK(digest[0] == 0x0c);

  arrow::Int64Builder builder;
  REQUIRE(builder.AppendValues({1, 2, 3}).ok());
  auto table = arrow::Table::Make(arrow::schema({arrow::field("a", arrow::int64())}), {*builder.Finish()});
  auto sink = *arrow::io::BufferOutputStream::Create();
  REQUIRE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink).ok());
  CHECK((*sink->Finish())->ToString().substr(0, 4) == "PAR1");
}
