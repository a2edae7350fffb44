// What an account has set for all its streams: whether it has committed itself to a minimum throughput, which AWS bills
// and which on-demand streams with warm throughput need. Here it costs nothing; it is kept and told, with AWS's rule
// that a commitment lasts a day at least.
//
// Threads: any; the functions block on the metadata store.
#pragma once

#include <cstdint>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "protocol/aws/writer.h"
#include "sluice/status.h"

namespace sluice::broker::kinesis {

inline constexpr std::int64_t kCommitmentMsMin = 86'400'000;

/// Times in milliseconds since 1970; 0 where there is none.
struct BillingCommitment {
  std::int64_t started_ms = 0;
  std::int64_t ends_ms = 0;  // may lie ahead; 0: it goes on

  bool IsOn(std::int64_t now_ms) const { return started_ms != 0 && (ends_ms == 0 || now_ms < ends_ms); }
  /// As it is once the account asks for it, or for its end.
  BillingCommitment Asked(bool enabled, std::int64_t now_ms) const;
};

Result<BillingCommitment> LoadCommitment(storage::MetadataStore& metadata, std::string_view account);
/// kFenced where it is no longer `before`.
Status StoreCommitment(storage::MetadataStore& metadata, std::string_view account, const BillingCommitment& before,
                       const BillingCommitment& after);

/// The member MinimumThroughputBillingCommitment of an answer.
void WriteCommitment(protocol::aws::Writer& writer, const BillingCommitment& commitment, std::int64_t now_ms);

}  // namespace sluice::broker::kinesis
