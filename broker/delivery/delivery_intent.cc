// What becomes of a stored decision while it is carried out: DeliveryStream's part of it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "broker/delivery/dead_letter_output.h"
#include "broker/delivery/delivery_stream.h"

namespace sluice::delivery {

void DeliveryStream::SetHolds() {
  for (const ShardPosition& position : state_.checkpoint.shards) {
    parts_.hold(state_.identity.source, position.shard, position.next);
  }
  HoldDeadLetters(state_.intent);
}

/// What stands behind the marks tells, when the delivery is done again, which dead letters are there, and those that it
/// replays are read again: nothing of it may be removed before that.
void DeliveryStream::HoldDeadLetters(const std::optional<Intent>& intent) {
  std::map<ShardId, Offset> needed;
  const auto need = [&](ShardId shard, Offset from) {
    const auto place = needed.try_emplace(shard, from).first;
    place->second = std::min(place->second, from);
  };
  if (intent) {
    for (const DeadLetterMark& mark : intent->dead_letters) need(mark.shard, mark.from);
    for (const ReplayedLines& replay : intent->replays) {
      if (replay.shard) need(*replay.shard, Offset(replay.lines.front().first));
    }
  }
  for (const ShardId shard : std::exchange(dead_letter_holds_, {})) {
    if (!needed.contains(shard)) parts_.release(shard.stream, shard.index);
  }
  for (const auto& [shard, from] : needed) {
    parts_.hold(shard.stream, shard.index, from);
    dead_letter_holds_.push_back(shard);
  }
}

/// What is known of the delivery now.
Status DeliveryStream::ChangeIntent(const std::function<void(Intent&)>& change) {
  Intent intent = *state_.intent;
  change(intent);
  if (intent == *state_.intent) return Status();
  state_known_ = false;  // until the transaction is known to be durable
  if (Status status = store_.ReplaceIntent(*state_.intent, intent); !status.ok())
    return status.WithContext("storing the intent again");
  state_.intent = intent;
  state_known_ = true;
  HoldDeadLetters(state_.intent);
  return Status();
}

/// Records of the delivery are lost and were given up, or error records that it replays are gone: it is decided anew,
/// without them. Not where an object with them is in the lake already, or dead letters in their stream, which would
/// hold the others a second time.
Status DeliveryStream::TakeBack(const Intent& intent, const DeliveryTerms& terms, const Status& why) {
  std::vector<std::string> keys = intent.other_keys;
  if (!intent.data_key.empty()) keys.push_back(intent.data_key);
  for (const std::string_view type : ErrorTypesOf(terms.config)) keys.push_back(ErrorKey(terms, intent, type));
  if (Status status = CheckNotWritten(terms.config.bucket, keys, why); !status.ok()) return status;
  if (terms.config.backup) {
    if (Status status = CheckNotWritten(terms.config.backup->bucket, intent.backup_keys, why); !status.ok())
      return status;
  }
  if (Status status = CheckNoDeadLetters(intent, terms, why); !status.ok()) return status;
  state_known_ = false;
  if (Status status = store_.DropIntent(intent); !status.ok()) return status.WithContext("taking the intent back");
  return Reload();
}

/// Retention and whoever deletes the stream may have them meanwhile.
Status DeliveryStream::CheckNoDeadLetters(const Intent& intent, const DeliveryTerms& terms, const Status& why) {
  if (intent.dead_letters.empty()) return Status();
  const Result<std::uint64_t> found = FindDeadLetters(*parts_.appender, intent);
  if (!found) return found.error();
  HoldDeadLetters(std::nullopt);
  if (*found == 0) return Status();
  return Status(why.code(),
                fmt::format("{}; {} of them {} in dead-letter stream '{}' already and would be there twice: "
                            "delete that stream, and the others are delivered again",
                            why.message(), *found, *found == 1 ? "is" : "are", terms.config.dead_letter_stream));
}

Status DeliveryStream::CheckNotWritten(const std::string& bucket, const std::vector<std::string>& keys,
                                       const Status& why) {
  for (const std::string& key : keys) {
    const auto size = parts_.objects.Size(bucket, key);
    if (!size) return size.error();
    if (!*size) continue;
    return Status(why.code(), fmt::format("{}; object '{}' was written before, with these records: move it out of the "
                                          "bucket, and the others are delivered again without them",
                                          why.message(), key));
  }
  return Status();
}

}  // namespace sluice::delivery
