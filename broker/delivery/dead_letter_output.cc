// Setting aside, looking what is there, appending the rest.
#include "broker/delivery/dead_letter_output.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kMemoryBytes = 4u << 20;  // beyond that they are set aside in a file
constexpr std::size_t kBatchBytes = 1u << 20;     // of records, before compression
constexpr int kShardTriesMax = 5;                 // of one batch: splits and merges that came in between
constexpr std::size_t kNumberBytesMax = 20;

/// What the header of a delivery's dead letters begins with. Intents of older versions have no uid, and no marks.
std::string DeliveryText(const Intent& intent) { return fmt::format("{}:{}:", intent.uid, intent.seq); }

/// The place of a record that is a dead letter of this delivery.
std::optional<std::uint64_t> PlaceOf(std::string_view delivery, const protocol::RecordView& record) {
  for (const protocol::HeaderView& header : record.headers) {
    if (header.key != kDeliveryHeader || !header.value || !header.value->starts_with(delivery)) continue;
    const std::string_view text = header.value->substr(delivery.size());
    std::uint64_t place = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place);
    if (error == std::errc() && end == text.data() + text.size()) return place;
  }
  return std::nullopt;
}

/// Remembers a place; false where it was there before, as a copy that somebody else has appended.
bool AddPlace(LineRanges& places, std::uint64_t place) {
  if (!places.empty() && place <= places.back().last) return AddRanges(places, {{place, place}});
  AddLine(places, place);
  return true;
}

/// Tells which record has which place; of several, added up, whatever their order.
std::uint64_t IdentityOf(std::uint64_t place, std::string_view shard, std::string_view offset) {
  const std::string text = fmt::format("{}|{}|{}", place, shard, offset);
  return XXH3_64bits(text.data(), text.size());
}

/// Gives each dead letter that is in the stream, with its place and where it stands. A stream that was deleted has
/// none.
using WrittenVisitor = std::function<void(std::uint64_t place, ShardId, Offset, const protocol::RecordView&)>;
Status VisitWritten(StreamAppender& appender, const Intent& intent, const std::vector<DeadLetterMark>& marks,
                    LineRanges& places, const WrittenVisitor& visitor) {
  const std::string delivery = DeliveryText(intent);
  for (const DeadLetterMark& mark : marks) {
    Status read =
        appender.Read(mark.shard, mark.from, kMaxOffset, [&](Offset offset, const protocol::RecordView& record) {
          const std::optional<std::uint64_t> place = PlaceOf(delivery, record);
          if (place && AddPlace(places, *place)) visitor(*place, mark.shard, offset, record);
          return Status();
        });
    if (!read.ok() && read.code() != Code::kNotFound)
      return read.WithContext("reading which dead letters of this delivery are there already");
  }
  return Status();
}

std::string_view WithoutBreak(std::string_view line) {
  return line.ends_with('\n') ? line.substr(0, line.size() - 1) : line;
}

std::optional<std::string_view> KeyOf(const RecordRef& record) {
  return record.key.empty() ? std::nullopt : std::optional(record.key);
}

}  // namespace

DeadLetterOutput::DeadLetterOutput(const DeliveryTerms& terms, const Intent& intent, const StagingParts& staging,
                                   const ProcessorHost& host)
    : terms_(terms),
      intent_(intent),
      staging_(staging),
      host_(host),
      appender_(*staging.appender),
      marks_(intent.dead_letters),
      spill_(std::make_unique<RecordSpill>(staging.env, staging.keys, staging.dead_letter_path(), kMemoryBytes)),
      batch_(protocol::Compression::kZstd) {}

bool DeadLetterOutput::Fits(std::string_view error_type, const RecordRef& line) const {
  const std::size_t headers = kErrorTypeHeader.size() + error_type.size() + kDeliveryStreamHeader.size() +
                              terms_.config.name.size() + kShardHeader.size() + kOffsetHeader.size() +
                              kDeliveryHeader.size() + DeliveryText(intent_).size() + 3 * kNumberBytesMax;
  return line.key.size() + line.value.size() + headers <= intent_.dead_letter_bytes_max;
}

Status DeadLetterOutput::Add(std::string_view error_type, const RecordRef& line) {
  auto found = streams_.find(error_type);
  if (found == streams_.end()) {
    const std::size_t stream = spill_->NewStream({.error_type = std::string(error_type), .values = {}});
    found = streams_.emplace(error_type, stream).first;
  }
  ++records_;
  return spill_->Append(found->second, line, line.value);
}

Status DeadLetterOutput::Finish(LedgerEntry& entry) {
  if (Status status = FindWritten(); !status.ok()) return status;
  if (Status status = AppendMissing(); !status.ok()) return status;
  SLUICE_CHECK(CountDeadLetters(written_) == records_);
  entry.dead_letters = std::move(written_);
  return Status();
}

Status DeadLetterOutput::FindWritten() {
  std::uint64_t identities = 0;
  Status status =
      VisitWritten(appender_, intent_, marks_, found_,
                   [&](std::uint64_t place, ShardId shard, Offset offset, const protocol::RecordView& record) {
                     identities += IdentityOf(place, HeaderOf(record, kShardHeader), HeaderOf(record, kOffsetHeader));
                     NoteWritten(shard, offset, 1);
                   });
  return status.ok() && !found_.empty() ? CheckFound(identities) : status;
}

/// What is there already are records that fail now, too, each at its place. Anything else is not made worse.
Status DeadLetterOutput::CheckFound(std::uint64_t identities) {
  Status status = ForEachLine([&](const std::string&, const RecordRef& line, std::uint64_t place) {
    if (HasLine(found_, place))
      identities -= IdentityOf(place, std::to_string(line.shard.value), std::to_string(line.offset.value));
    return Status();
  });
  if (!status.ok() || (identities == 0 && found_.back().last < records_)) return status;
  return Status(
      Code::kCorruption,
      fmt::format("dead-letter stream '{}' has other records of this delivery than fail in it now: nothing is "
                  "appended until somebody has looked; where that stream is deleted, all of them are",
                  terms_.config.dead_letter_stream));
}

Status DeadLetterOutput::ForEachLine(const LineVisitor& visitor) {
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < spill_->streams().size(); ++i) {
    const std::string error_type = spill_->streams()[i].name.error_type;
    Status read = spill_->Read(i, [&](std::span<const RecordRef> lines, std::span<const WorkRecord>) {
      Status status;
      for (const RecordRef& line : lines) {
        if (status.ok()) status = visitor(error_type, line, place++);
      }
      return status;
    });
    if (!read.ok()) return read;
  }
  return Status();
}

Status DeadLetterOutput::AppendMissing() {
  Status status = ForEachLine([&](const std::string& error_type, const RecordRef& line, std::uint64_t place) {
    return HasLine(found_, place) ? Status() : AppendOne(error_type, line, place);
  });
  return status.ok() ? Flush() : status;
}

Status DeadLetterOutput::AppendOne(const std::string& error_type, const RecordRef& line, std::uint64_t place) {
  const std::uint64_t batch_bytes_max = std::min<std::uint64_t>(kBatchBytes, appender_.record_bytes_max());
  if (!batch_.empty() && batch_.size_bytes() + line.key.size() + line.value.size() > batch_bytes_max) {
    if (Status status = Flush(); !status.ok()) return status;
  }
  const std::string shard = std::to_string(line.shard.value);
  const std::string offset = std::to_string(line.offset.value);
  const std::string delivery = DeliveryText(intent_) + std::to_string(place);
  const std::array<protocol::HeaderView, 5> headers = {{{kErrorTypeHeader, error_type},
                                                        {kDeliveryStreamHeader, terms_.config.name},
                                                        {kShardHeader, shard},
                                                        {kOffsetHeader, offset},
                                                        {kDeliveryHeader, delivery}}};
  batch_.Add(intent_.decided_ms, KeyOf(line), WithoutBreak(line.value), headers);
  return Status();
}

/// Appends the batch that has gathered.
Status DeadLetterOutput::Flush() {
  if (batch_.empty()) return Status();
  const auto records = static_cast<std::uint64_t>(batch_.record_count());
  std::string bytes;
  batch_.Finish(bytes);
  Status status;
  for (int tries = 0; tries < kShardTriesMax; ++tries) {
    if (host_.stopping()) return Status(Code::kUnavailable, "the delivery was interrupted");
    if (!shard_) status = ChooseShard();
    if (!status.ok()) return status;
    const Result<Offset> first = appender_.Append(*shard_, bytes);
    if (first) {
      NoteWritten(*shard_, *first, records);
      return Status();
    }
    status = first.error().WithContext(
        fmt::format("appending to dead-letter stream '{}'", terms_.config.dead_letter_stream));
    if (first.error().code() != Code::kShardClosed) return status;
    status = Status();
    shard_.reset();
  }
  return Status(Code::kUnavailable,
                fmt::format("the shards of dead-letter stream '{}' change too fast", terms_.config.dead_letter_stream));
}

/// All dead letters of a delivery stream go where its name belongs to as a partition key: so they stay in their order.
Status DeadLetterOutput::ChooseShard() {
  const std::string& stream = terms_.config.dead_letter_stream;
  const Result<AppendPlace> place = appender_.Find(stream, terms_.config.name);
  if (!place && place.error().code() == Code::kNotFound) {
    return Status(
        Code::kNotFound,
        fmt::format("dead-letter stream '{0}' does not exist, and {1} record{2} of this delivery could not be "
                    "delivered: make it again ('sluice stream create {0}'); delivery waits for it",
                    stream, records_, records_ == 1 ? "" : "s"));
  }
  if (!place) return place.error();
  if (marks_.empty() || marks_.back().shard != place->shard) {
    if (Status status = Mark(*place); !status.ok()) return status;
  }
  shard_ = place->shard;
  return Status();
}

Status DeadLetterOutput::Mark(const AppendPlace& place) {
  marks_.push_back({place.shard, place.end});
  return staging_.change_intent([this](Intent& intent) { intent.dead_letters = marks_; });
}

void DeadLetterOutput::NoteWritten(ShardId shard, Offset first, std::uint64_t records) {
  const Offset last(first.value + records - 1);
  if (!written_.empty() && written_.back().shard == shard && written_.back().last + 1 == first) {
    written_.back().last = last;
  } else {
    written_.push_back({terms_.config.dead_letter_stream, shard, first, last});
  }
}

Result<std::uint64_t> FindDeadLetters(StreamAppender& appender, const Intent& intent) {
  LineRanges places;
  Status status = VisitWritten(appender, intent, intent.dead_letters, places, [](auto...) {});
  return status.ok() ? Result<std::uint64_t>(CountLines(places)) : Error(std::move(status));
}

}  // namespace sluice::delivery
