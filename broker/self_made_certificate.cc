// X.509 by OpenSSL, and two small files.
#include "broker/self_made_certificate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "broker/log.h"
#include "protocol/ascii.h"
#include "protocol/freer.h"

namespace sluice::broker {
namespace {

using protocol::Freer;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

constexpr long kDaySeconds = 86'400;
constexpr long kValidSeconds = 3'650 * kDaySeconds;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kReadable = 0644;

// "DNS:localhost,..", as OpenSSL reads it; a host name of other characters than those of the DNS is left out.
std::string Names() {
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return names;
  const std::string_view name = host.data();
  const bool usable = !name.empty() && name != "localhost" && std::ranges::all_of(name, [](char c) {
    return protocol::IsLetterOrDigit(c) || c == '-' || c == '.';
  });
  return usable ? fmt::format("{},DNS:{}", names, name) : names;
}

bool AddExtension(X509* certificate, int kind, const std::string& value) {
  const Extension extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A random one: two certificates of one issuer with the same number confuse browsers.
bool SetSerial(X509* certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1;
}

// Null where OpenSSL cannot.
Certificate Sign(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  if (certificate == nullptr || key == nullptr) return nullptr;
  X509* const x509 = certificate.get();
  X509_NAME* const name = X509_get_subject_name(x509);
  const auto* common_name = reinterpret_cast<const unsigned char*>("Sluice");
  const bool made = X509_set_version(x509, X509_VERSION_3) == 1 && SetSerial(x509) &&
                    X509_gmtime_adj(X509_getm_notBefore(x509), -kDaySeconds) != nullptr &&  // clocks differ
                    X509_gmtime_adj(X509_getm_notAfter(x509), kValidSeconds) != nullptr &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1 &&
                    AddExtension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
                    AddExtension(x509, NID_key_usage, "critical,digitalSignature") &&
                    AddExtension(x509, NID_ext_key_usage, "serverAuth") &&
                    AddExtension(x509, NID_subject_alt_name, Names()) && X509_sign(x509, key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

std::string TextOf(const Bio& bio) {
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(bytes)};
}

Status Failed(const std::string& path) {
  return Status(Code::kIoError, fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
}

bool WriteAndClose(int fd, std::string_view text) {
  bool written = true;
  while (written && !text.empty()) {
    const ssize_t bytes = ::write(fd, text.data(), text.size());
    written = bytes > 0 || (bytes < 0 && errno == EINTR);
    if (bytes > 0) text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  written = written && ::fsync(fd) == 0;
  return ::close(fd) == 0 && written;
}

// A file that is made with its mode is never open to others, not even empty.
Status WriteFile(storage::Env& env, const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) return Failed(temporary);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0 || !WriteAndClose(fd, text)) return Failed(temporary);
  return env.Rename(temporary, path);
}

Status Make(storage::Env& env, const std::string& dir, const aws::TlsFiles& files) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Certificate certificate = Sign(key.get());
  const Bio key_text(BIO_new(BIO_s_mem()));
  const Bio certificate_text(BIO_new(BIO_s_mem()));
  if (certificate == nullptr || PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Status(Code::kInternal,
                  "OpenSSL cannot make a certificate; name one (aws.tls_certificate, aws.tls_key), or set "
                  "aws.tls_enabled = false");
  }
  Status status = env.MakeDirs(dir);
  if (status.ok()) status = WriteFile(env, files.key, TextOf(key_text), kOwnerOnly);
  if (status.ok()) status = env.SyncDir(dir);  // a new certificate never stands beside an older key
  if (status.ok()) status = WriteFile(env, files.certificate, TextOf(certificate_text), kReadable);
  if (status.ok()) status = env.SyncDir(dir);
  if (status.ok()) log::Info("made a certificate for the AWS port", {{"file", files.certificate}, {"names", Names()}});
  return status;
}

}  // namespace

Result<aws::TlsFiles> SelfMadeCertificate(storage::Env& env, const std::string& data_dir) {
  const std::string dir = data_dir + "/tls";
  const aws::TlsFiles files{.certificate = dir + "/certificate.pem", .key = dir + "/key.pem"};
  for (const std::string& file : {files.certificate, files.key}) {
    const Result<bool> exists = env.Exists(file);
    if (!exists) return Error(exists.error());
    if (*exists) continue;
    if (Status status = Make(env, dir, files); !status.ok()) return Error(status);
    break;
  }
  return files;
}

}  // namespace sluice::broker
