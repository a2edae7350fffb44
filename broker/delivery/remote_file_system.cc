// One function a store; what differs between them stays here.
#include "broker/delivery/remote_file_system.h"

#include <arrow/filesystem/azurefs.h>
#include <arrow/filesystem/gcsfs.h>
#include <arrow/filesystem/s3fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "broker/delivery/endpoints/retry_pause.h"
#include "broker/delivery/object_store.h"
#include "protocol/check.h"
#include "storage/env/seeded_random.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kRetriesMax = 2;
constexpr std::int64_t kRetryFirstMs = 100;
constexpr double kMsPerSecond = 1000;
constexpr const char* kSystemCertificates = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kRegionElsewhere = "us-east-1";  // what servers other than AWS expect

std::unexpected<Status> Failed(const arrow::Status& status) { return Error(Code::kUnavailable, status.message()); }

std::string Of(const BucketRoot& root, const std::string& key) {
  const auto found = root.query.find(key);
  return found == root.query.end() ? "" : found->second;
}

void AddEndpoint(const std::string& setting, BucketRoot& root) {
  if (setting.empty() || root.query.contains("endpoint_override")) return;
  const Result<Endpoint> endpoint = ParseEndpoint(setting);
  SLUICE_CHECK(endpoint.has_value());  // checked where it was read
  root.query["endpoint_override"] = endpoint->authority;
  root.query["scheme"] = endpoint->scheme;
}

const std::string& CertificatesOf(const StoreSettings& settings) {
  static const std::string system = kSystemCertificates;
  return settings.ca_file.empty() ? system : settings.ca_file;
}

/// Few tries in quick succession: the delivery stream itself waits and tries again.
class FewRetries final : public arrow::fs::S3RetryStrategy {
 public:
  explicit FewRetries(const std::atomic<bool>& stopping) : stopping_(stopping) {}
  bool ShouldRetry(const AWSErrorDetail& error, std::int64_t attempted_retries) override {
    return !stopping_ && error.should_retry && attempted_retries < kRetriesMax;
  }
  std::int64_t CalculateDelayBeforeNextRetry(const AWSErrorDetail&, std::int64_t attempted_retries) override {
    return Jittered(kRetryFirstMs << std::min(attempted_retries, kRetriesMax), random_.Next());
  }

 private:
  const std::atomic<bool>& stopping_;
  storage::SeededRandom random_{std::random_device()()};  // brokers that one store has turned away do not come at once
};

/// Once in a process: a second start after an end is not possible.
const arrow::Status& StartS3() {
  static const arrow::Status started = arrow::fs::InitializeS3(arrow::fs::S3GlobalOptions::Defaults());
  return started;
}

arrow::fs::S3Options CredentialsOf(const S3Settings& settings) {
  if (settings.access_key_id.empty()) return arrow::fs::S3Options::Defaults();
  return arrow::fs::S3Options::FromAccessKey(settings.access_key_id, settings.secret_access_key,
                                             settings.session_token);
}

Result<std::string> RegionOf(const BucketRoot& root) {
  if (const std::string region = Of(root, "region"); !region.empty()) return region;
  if (root.query.contains("endpoint_override")) return kRegionElsewhere;
  arrow::Result<std::string> region = arrow::fs::ResolveS3BucketRegion(root.place.substr(0, root.place.find('/')));
  if (!region.ok()) return Failed(region.status());
  return *region;
}

Result<OpenedRoot> OpenS3(const BucketRoot& root, const StoreSettings& settings, const std::atomic<bool>& stopping) {
  if (const arrow::Status& started = StartS3(); !started.ok()) return Failed(started);
  arrow::fs::S3Options options = CredentialsOf(settings.s3);
  Result<std::string> region = RegionOf(root);
  if (!region) return Error(region.error());
  options.region = *region;
  options.endpoint_override = Of(root, "endpoint_override");
  if (const std::string scheme = Of(root, "scheme"); !scheme.empty()) options.scheme = scheme;
  options.force_virtual_addressing = !settings.s3.path_style;
  options.connect_timeout = static_cast<double>(settings.s3.connect_timeout_ms) / kMsPerSecond;
  options.request_timeout = static_cast<double>(settings.s3.request_timeout_ms) / kMsPerSecond;
  options.tls_ca_file_path = CertificatesOf(settings);
  options.allow_delayed_open = true;  // a small object is one request
  options.retry_strategy = std::make_shared<FewRetries>(stopping);
  auto files = arrow::fs::S3FileSystem::Make(options);
  if (!files.ok()) return Failed(files.status());
  return OpenedRoot{*files, root.place};
}

/// What Google and Azure take from the whole process.
const arrow::Status& StartOthers(const StoreSettings& settings) {
  static const arrow::Status started =
      arrow::fs::Initialize({.tls_ca_file_path = CertificatesOf(settings), .tls_ca_dir_path = {}});
  return started;
}

Result<OpenedRoot> OpenGoogle(const BucketRoot& root, const StoreSettings& settings) {
  if (const arrow::Status& started = StartOthers(settings); !started.ok()) return Failed(started);
  arrow::fs::GcsOptions options =
      settings.google.anonymous ? arrow::fs::GcsOptions::Anonymous() : arrow::fs::GcsOptions::Defaults();
  options.endpoint_override = Of(root, "endpoint_override");
  if (const std::string scheme = Of(root, "scheme"); !scheme.empty()) options.scheme = scheme;
  options.retry_limit_seconds = static_cast<double>(settings.google.timeout_ms) / kMsPerSecond;
  auto files = arrow::fs::GcsFileSystem::Make(options);
  if (!files.ok()) return Failed(files.status());
  return OpenedRoot{*files, root.place};
}

Result<OpenedRoot> OpenAzure(const BucketRoot& root, const StoreSettings& settings) {
  if (const arrow::Status& started = StartOthers(settings); !started.ok()) return Failed(started);
  std::string path;
  auto options = arrow::fs::AzureOptions::FromUri(root.Text(), &path);
  if (!options.ok()) return Failed(options.status());
  arrow::Status status;
  if (!settings.azure.account_key.empty()) status = options->ConfigureAccountKeyCredential(settings.azure.account_key);
  if (!settings.azure.sas_token.empty()) status = options->ConfigureSASCredential(settings.azure.sas_token);
  if (!status.ok()) return Failed(status);
  auto files = arrow::fs::AzureFileSystem::Make(*options);
  if (!files.ok()) return Failed(files.status());
  return OpenedRoot{*files, path};
}

}  // namespace

void PrepareRemoteStores(const StoreSettings& settings) {
  if (!settings.s3.upload_checksums) ::setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required", 1);
}

void EndRemoteStores() {
  if (arrow::fs::IsS3Initialized()) (void)arrow::fs::EnsureS3Finalized();
}

BucketRoot WithSettings(BucketRoot root, const StoreSettings& settings) {
  if (root.kind == StoreKind::kGoogle) AddEndpoint(settings.google.endpoint_override, root);
  if (root.kind != StoreKind::kS3) return root;
  AddEndpoint(settings.s3.endpoint_override, root);
  if (!settings.s3.region.empty()) root.query.emplace("region", settings.s3.region);
  return root;
}

Result<OpenedRoot> OpenRoot(const BucketRoot& root, const StoreSettings& settings, const std::atomic<bool>& stopping) {
  switch (root.kind) {
    case StoreKind::kS3:
      return OpenS3(root, settings, stopping);
    case StoreKind::kGoogle:
      return OpenGoogle(root, settings);
    case StoreKind::kAzure:
      return OpenAzure(root, settings);
    case StoreKind::kDirectory:
      break;
  }
  return Error(Code::kInternal, "a directory was opened as a remote store");
}

}  // namespace sluice::delivery
