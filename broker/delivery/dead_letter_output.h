// The dead letters of one delivery: error records that are appended to a stream, one record each, in place of being
// lines of error objects (docs/delivery.md, "Dead-letter stream").
//
//     while records are processed:   lines are set aside, numbered by their places
//     Finish:
//       read behind the intent's marks which places are in the stream        # after a crash, or a try that failed
//       MARK: stored with the intent, before the first append: shard, end   (one synced, conditional transaction)
//       append the others, batch by batch; where the shard is split or merged, MARK its successor and go on
//
// Each dead letter says in a header of which delivery it is and which place it has there, so that one look behind the
// marks tells what is there already: whatever the number of batches, and however long ago it was. Retention spares what
// stands behind a mark until the delivery is done. What a delivery's lines are follows from its intent, also after a
// crash.
//
// One thread at a time. Memory: a few MiB, and a batch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/dead_letter_record.h"
#include "broker/delivery/dead_letter_state.h"
#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/line_ranges.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/record_spill.h"
#include "broker/delivery/staging_parts.h"
#include "broker/delivery/stream_appender.h"
#include "protocol/batch.h"
#include "sluice/status.h"

namespace sluice::delivery {

class DeadLetterOutput {
 public:
  /// All outlive it. `staging` has an appender.
  DeadLetterOutput(const DeliveryTerms& terms, const Intent& intent, const StagingParts& staging,
                   const ProcessorHost& host);

  /// False where it would be larger than a record of a stream may be. `line` is a failed record whose value is its
  /// error record.
  bool Fits(std::string_view error_type, const RecordRef& line) const;
  /// Sets it aside.
  Status Add(std::string_view error_type, const RecordRef& line);
  /// After all else of the delivery: returns when all are durable, and in `entry`.
  Status Finish(LedgerEntry& entry);

 private:
  /// Gives what was set aside, in order, by its place.
  using LineVisitor = std::function<Status(const std::string& error_type, const RecordRef&, std::uint64_t place)>;
  Status ForEachLine(const LineVisitor& visitor);
  Status FindWritten();
  Status CheckFound(std::uint64_t identities);
  Status AppendMissing();
  Status AppendOne(const std::string& error_type, const RecordRef& line, std::uint64_t place);
  Status Flush();
  Status ChooseShard();
  Status Mark(const AppendPlace& place);
  void NoteWritten(ShardId shard, Offset first, std::uint64_t records);

  const DeliveryTerms& terms_;
  const Intent& intent_;
  const StagingParts& staging_;
  const ProcessorHost& host_;
  StreamAppender& appender_;
  std::vector<DeadLetterMark> marks_;  // as they are stored
  std::unique_ptr<RecordSpill> spill_;
  std::map<std::string, std::size_t, std::less<>> streams_;  // of the spill, by error type
  std::uint64_t records_ = 0;
  LineRanges found_;              // places that the stream had already
  std::optional<ShardId> shard_;  // that is appended to
  protocol::BatchBuilder batch_;  // what is to be appended next
  std::vector<DeadLetters> written_;
};

/// How many dead letters of the delivery of `intent` are in streams that are there.
Result<std::uint64_t> FindDeadLetters(StreamAppender& appender, const Intent& intent);

}  // namespace sluice::delivery
