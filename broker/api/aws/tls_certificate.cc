// The texts themselves are compared: they are short, and a time of change may stand still.
#include "broker/api/aws/tls_certificate.h"

#include <fmt/format.h>

#include <utility>

#include "broker/log.h"

namespace sluice::broker::aws {
namespace {

constexpr std::int64_t kLookEveryNs = 2'000'000'000;
constexpr std::uint64_t kBytesMax = 1u << 20;  // a chain has some thousand bytes

}  // namespace

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::Open(storage::Env& env, TlsFiles files) {
  std::unique_ptr<TlsCertificate> certificate(new TlsCertificate(env, std::move(files)));
  certificate->looked_ns_ = env.clock().MonotonicNs();
  certificate->seen_ = certificate->Read();
  if (Status status = certificate->Load(); !status.ok()) return Error(status);
  return certificate;
}

std::shared_ptr<const TlsIdentity> TlsCertificate::Current() {
  const std::int64_t now_ns = env_.clock().MonotonicNs();
  if (now_ns - looked_ns_ < kLookEveryNs) return identity_;
  looked_ns_ = now_ns;
  Result<Texts> found = Read();
  if (found == seen_) return identity_;
  seen_ = std::move(found);
  if (Status status = Load(); status.ok()) {
    log::Info("the AWS port has read its new certificate", {{"file", files_.certificate}});
  } else {
    log::Error("the AWS port keeps its old certificate: the new one cannot be used", {{"reason", status}});
  }
  return identity_;
}

Result<TlsCertificate::Texts> TlsCertificate::Read() const {
  Result<std::string> certificate = ReadOne(files_.certificate, "aws.tls_certificate");
  if (!certificate) return Error(certificate.error());
  Result<std::string> key = ReadOne(files_.key, "aws.tls_key");
  if (!key) return Error(key.error());
  return Texts{std::move(*certificate), std::move(*key)};
}

Result<std::string> TlsCertificate::ReadOne(const std::string& path, std::string_view setting) const {
  const auto file = env_.Open(path, storage::OpenMode::kRead);
  if (!file) return Error(file.error().WithContext(setting));
  const Result<std::uint64_t> bytes = (*file)->Size();
  if (!bytes) return Error(bytes.error().WithContext(setting));
  if (*bytes > kBytesMax) {
    return Error(Code::kInvalidArgument, fmt::format("{}: {} is too large for a file in PEM", setting, path));
  }
  std::string text(*bytes, '\0');
  const Result<std::size_t> got = (*file)->Read(0, text);
  if (!got) return Error(got.error().WithContext(setting));
  text.resize(*got);
  return text;
}

// Takes what was seen into use, or says why not.
Status TlsCertificate::Load() {
  if (!seen_) return seen_.error();
  auto identity = TlsIdentity::New(seen_->certificate, seen_->key);
  if (!identity) return identity.error().WithContext(fmt::format("{}, {}", files_.certificate, files_.key));
  identity_ = std::move(*identity);
  return {};
}

}  // namespace sluice::broker::aws
