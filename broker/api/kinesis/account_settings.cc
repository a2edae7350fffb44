// One key of the metadata store for each account that has set something (broker/METADATA.md).
#include "broker/api/kinesis/account_settings.h"

#include <algorithm>
#include <optional>
#include <string>

#include "broker/stored.pb.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::uint32_t kFormat = 1;

std::string KeyOf(std::string_view account) { return std::string("kinesis/account/").append(account); }

/// nullopt where nothing was ever set.
std::optional<std::string> Encode(const BillingCommitment& commitment) {
  if (commitment.started_ms == 0) return std::nullopt;
  stored::KinesisAccount message;
  message.set_format(kFormat);
  message.set_commitment_started_ms(commitment.started_ms);
  message.set_commitment_ends_ms(commitment.ends_ms);
  return message.SerializeAsString();
}

}  // namespace

BillingCommitment BillingCommitment::Asked(bool enabled, std::int64_t now_ms) const {
  if (enabled) return {.started_ms = IsOn(now_ms) ? started_ms : now_ms, .ends_ms = 0};
  if (!IsOn(now_ms) || ends_ms != 0) return *this;
  return {.started_ms = started_ms, .ends_ms = std::max(now_ms, started_ms + kCommitmentMsMin)};
}

Result<BillingCommitment> LoadCommitment(storage::MetadataStore& metadata, std::string_view account) {
  const std::string key = KeyOf(account);
  const auto bytes = metadata.Get(key);
  if (!bytes) return Error(bytes.error());
  if (!*bytes) return BillingCommitment();
  stored::KinesisAccount message;
  if (!message.ParseFromString(**bytes) || message.format() == 0) {
    return Error(Code::kCorruption, "metadata key '" + key + "' does not hold an account's settings");
  }
  if (message.format() > kFormat) {
    return Error(Code::kUnimplemented,
                 "metadata key '" + key + "' was written by a newer version; start the version that wrote it");
  }
  return BillingCommitment{.started_ms = message.commitment_started_ms(), .ends_ms = message.commitment_ends_ms()};
}

Status StoreCommitment(storage::MetadataStore& metadata, std::string_view account, const BillingCommitment& before,
                       const BillingCommitment& after) {
  const std::optional<std::string> bytes = Encode(after);
  if (!bytes) return {};  // nothing was set, and nothing is
  storage::Transaction transaction;
  transaction.If(KeyOf(account), Encode(before)).Put(KeyOf(account), *bytes);
  return metadata.Commit(transaction).WithContext("keeping the account's settings");
}

void WriteCommitment(protocol::aws::Writer& writer, const BillingCommitment& commitment, std::int64_t now_ms) {
  const bool on = commitment.IsOn(now_ms);
  writer.Name("MinimumThroughputBillingCommitment").BeginMap();
  writer.Name("Status").Text(!on                       ? "DISABLED"
                             : commitment.ends_ms == 0 ? "ENABLED"
                                                       : "ENABLED_UNTIL_EARLIEST_ALLOWED_END");
  if (commitment.started_ms != 0) writer.Name("StartedAt").Timestamp(commitment.started_ms);
  if (on) writer.Name("EarliestAllowedEndAt").Timestamp(commitment.started_ms + kCommitmentMsMin);
  if (commitment.started_ms != 0 && !on) writer.Name("EndedAt").Timestamp(commitment.ends_ms);
  writer.EndMap();
}

}  // namespace sluice::broker::kinesis
