// Manifest, attempts, giving up.
#include "broker/delivery/redshift/redshift_load.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "broker/delivery/endpoints/retry_pause.h"
#include "broker/delivery/redshift/copy_statement.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::int64_t kAskFirstMs = 50;
constexpr std::int64_t kAskMaxMs = 1000;

}  // namespace

Result<ClusterUser> ClusterUserOf(const RedshiftConfig& config, const ProcessorSettings& settings) {
  if (!config.secret.enabled) return ClusterUser{config.username, config.password};
  constexpr std::array<std::string_view, 2> kMembers = {"username", "password"};
  Result<std::vector<std::string>> texts = ReadSecretMembers(settings.secrets, config.secret.arn, kMembers);
  if (!texts) return Error(texts.error());
  return ClusterUser{std::move(texts->front()), std::move(texts->back()), true};
}

RedshiftLoad::RedshiftLoad(const DeliveryTerms& terms, const Intent& intent, const StagingParts& staging,
                           ProcessorHost& host, ObjectStore& objects)
    : terms_(terms), intent_(intent), staging_(staging), host_(host), objects_(objects), progress_(host.load) {
  SLUICE_CHECK(terms.config.redshift && terms.manifest_prefix && host.clock != nullptr);
}

Status RedshiftLoad::Run(LedgerEntry& entry) {
  const std::string& bucket = terms_.config.bucket;
  const std::string place = objects_.Place(bucket);
  std::vector<std::string> urls;
  for (const DeliveredObject& object : entry.objects) {
    if (!object.error && !object.backup) urls.push_back(S3Url(place, bucket, object.key));
  }
  if (urls.empty()) return Status();
  const std::string document = ManifestDocument(urls);
  const std::string manifest = ManifestKey(terms_, intent_);
  if (Status status = PutManifest(manifest, document, entry); !status.ok()) return status;
  progress_.has_manifest = true;
  const bool given_up = intent_.refused.has_value();
  if (!given_up) {
    if (Status status = Load(manifest, entry); !status.ok()) return status;
  } else {
    if (intent_.refused->empty()) return Status(Code::kCorruption, "a load was given up, and nobody says why");
    const RefusedRequest& why = intent_.refused->front();
    entry.load = {.loaded = false, .attempts = why.attempts, .code = why.code, .message = why.message};
  }
  if (entry.load->loaded) return Status();
  return PutManifest(ErrorKey(terms_, intent_, kSkippedManifests), document, entry);
}

/// Into the entry, too.
Status RedshiftLoad::PutManifest(const std::string& key, const std::string& document, LedgerEntry& entry) {
  entry.objects.push_back({.key = key,
                           .bytes = document.size(),
                           .checksum = XXH3_64bits(document.data(), document.size()),
                           .manifest = true});
  if (progress_.has_manifest && key == ManifestKey(terms_, intent_)) return Status();
  Result<std::unique_ptr<ObjectSpool>> spool =
      objects_.NewSpool(terms_.config.bucket, terms_.config.name + ".manifest");
  if (!spool) return spool.error();
  if (Status status = (*spool)->Write(document); !status.ok()) return status;
  return objects_.Put(terms_.config.bucket, key, std::move(*spool));
}

LoadRequest RedshiftLoad::MakeRequest(const std::string& manifest) const {
  const DeliveryConfig& config = terms_.config;
  const std::string url = S3Url(objects_.Place(config.bucket), config.bucket, manifest);
  return {.delivery_stream = config.name,
          .manifest = manifest,
          .copy = CopyStatement(*config.redshift, url, config.compression),
          .config = *config.redshift,
          .ca_file = host_.settings.ca_file,
          .timeout_ms = host_.settings.load_timeout_ms,
          .creates_table = progress_.creates_table};
}

/// Goes on with the attempt that runs, unless another one is configured now.
Result<LoadOutcome> RedshiftLoad::Advance(const std::string& manifest) {
  LoadRequest request = MakeRequest(manifest);
  if (progress_.attempt == nullptr || progress_.attempt->request() != request) {
    progress_.attempt.reset();
    Result<ClusterUser> user = ClusterUserOf(*terms_.config.redshift, host_.settings);
    if (!user) return Error(user.error());
    progress_.attempt = std::make_shared<LoadAttempt>(std::move(request), std::move(*user), *host_.clock);
    progress_.ask_ms = 0;
  }
  LoadOutcome outcome = progress_.attempt->Advance();
  if (outcome.end != LoadOutcome::End::kNotYet) progress_.attempt.reset();
  return outcome;
}

Status RedshiftLoad::Load(const std::string& manifest, LedgerEntry& entry) {
  Result<LoadOutcome> outcome = Advance(manifest);
  if (outcome && outcome->end == LoadOutcome::End::kNoLoadsTable) {
    progress_.creates_table = true;
    outcome = Advance(manifest);
  }
  if (!outcome) return outcome.error();
  switch (outcome->end) {
    case LoadOutcome::End::kLoaded:
    case LoadOutcome::End::kLoadedBefore:
      entry.load = {.loaded = true, .attempts = progress_.attempts + 1};
      return Status();
    case LoadOutcome::End::kFailed:
    case LoadOutcome::End::kUnknown:
      return TakeFailure(*outcome, manifest, entry);
    default:
      progress_.ask_ms = std::clamp(2 * progress_.ask_ms, kAskFirstMs, kAskMaxMs);
      host_.ask_again_ms = progress_.ask_ms;
      return Status(Code::kUnavailable, "the cluster has not said yet whether it has loaded the objects");
  }
}

/// OK where it was given up.
Status RedshiftLoad::TakeFailure(const LoadOutcome& outcome, const std::string& manifest, LedgerEntry& entry) {
  if (progress_.attempts++ == 0) progress_.failing_since_ms = NowMs();
  const bool unknown = outcome.end == LoadOutcome::End::kUnknown;
  progress_.may_be_loaded = unknown || (progress_.may_be_loaded && !outcome.looked);
  if (Status status = TryLater(outcome); !status.ok()) return status;
  DeliveredLoad given_up{
      .loaded = false, .attempts = progress_.attempts, .code = outcome.code, .message = outcome.message};
  if (progress_.may_be_loaded) {
    const std::string& loads = terms_.config.redshift->loads_table;
    given_up.message += fmt::format(
        "; a connection broke at COMMIT, so the objects may be loaded nevertheless: {} "
        "before they are loaded by hand",
        loads.empty() ? "look into the table" : fmt::format("look for '{}' in {}", manifest, loads));
  }
  Status status = staging_.change_intent([&](Intent& intent) {
    intent.refused = {{.code = given_up.code,
                       .message = given_up.message,
                       .attempts = given_up.attempts,
                       .ended_ms = staging_.env.clock().WallMs()}};
  });
  if (status.ok()) entry.load = std::move(given_up);
  return status;
}

/// An error where there is time for another attempt.
Status RedshiftLoad::TryLater(const LoadOutcome& outcome) {
  const auto retry_ms = static_cast<std::int64_t>(terms_.config.redshift->retry_s) * 1000;
  const std::int64_t left_ms = progress_.failing_since_ms + retry_ms - NowMs();
  if (left_ms <= 0) return Status();
  host_.retry_in_ms = std::min(left_ms, RetryPauseMs(progress_.attempts, progress_.delivery));
  return Status(
      Code::kUnavailable,
      fmt::format("the objects are not loaded, and their manifest goes to {}/ in {} s unless they are: {}: {}",
                  kSkippedManifests, (left_ms + 999) / 1000, outcome.code, outcome.message));
}

}  // namespace sluice::delivery
