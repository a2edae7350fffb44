// A world whose delivery stream has a dead-letter stream: what is in it, and the proof with it.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "broker/delivery/dead_letter_record.h"
#include "broker/delivery/error_record.h"
#include "tests/delivery/delivery_world.h"
#include "tests/delivery/proof.h"

namespace sluice::delivery {

inline constexpr const char* kDead = "orders-dead";

inline DeliveryConfig WithDeadLetters(DeliveryConfig config) {
  config.dead_letter_stream = kDead;
  return config;
}

/// What the records of the dead-letter stream say failed, sorted; of other producers nothing.
inline std::vector<std::string> DeadRecords(const World& world) {
  std::vector<std::string> dead;
  for (const FakeRecord& record : world.streams.Records(kDead)) {
    if (!record.headers.contains(std::string(kDeliveryHeader))) continue;
    const Result<ErrorRecord> read = ReadErrorRecordLine(record.value);
    REQUIRE(read.has_value());
    dead.push_back(read->raw);
  }
  std::ranges::sort(dead);
  return dead;
}

/// The proof of a ledger, with the dead letters that the streams still have.
inline tools::VerifyReport VerifyWithDeadLetters(const World& world, const LedgerDocument& ledger) {
  const tools::DeadLetterReader reader = [&](const DeadLetters& letters,
                                             const tools::DeadLetterVisitor& visitor) -> Result<std::uint64_t> {
    if (!world.streams.Has(letters.stream)) return letters.records();
    const FakeStreams::Stream& stream = world.streams.at(letters.stream);
    if (stream.id != letters.shard.stream) return letters.records();
    const auto& records = stream.shards.at(letters.shard.index.value);
    std::uint64_t gone = 0;
    for (std::uint64_t at = letters.first.value; at <= letters.last.value && at < records.size(); ++at) {
      if (records[at].lost) {
        ++gone;
      } else {
        visitor(Offset(at), records[at].value);
      }
    }
    return gone;
  };
  const auto report = tools::VerifyDelivery(ledger, {}, {}, {}, reader);
  REQUIRE(report.has_value());
  return *report;
}

inline tools::VerifyReport VerifyWithDeadLetters(World& world) {
  return VerifyWithDeadLetters(world, Proof(world).document());
}

}  // namespace sluice::delivery
