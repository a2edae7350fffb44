// From the ledger to lines.
#include "broker/delivery/error_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/delivery/checksum.h"
#include "broker/delivery/dead_letter_record.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

/// The prefix of errors always holds the type; the last one counts, where a prefix has another's name in it.
std::string_view TypeOf(std::string_view key) {
  std::string_view type = kErrorTypes.front();
  std::size_t place = 0;
  const auto look_for = [&](std::string_view each) {
    const std::size_t found = key.rfind(each);
    if (found == key.npos || found < place) return;
    place = found;
    type = each;
  };
  std::ranges::for_each(kErrorTypes, look_for);
  std::ranges::for_each(kEndpointErrorTypes, look_for);
  return type;
}

/// Cuts what comes piece by piece into lines.
class LineCutter {
 public:
  /// Called with each line and its number, from 0.
  using Visitor = std::function<Status(std::uint64_t number, std::string_view text)>;
  explicit LineCutter(const Visitor& visitor) : visitor_(visitor) {}

  Status Add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      if (end == piece.npos) {
        begun_ += piece;
        return Status();
      }
      begun_ += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      Status status = visitor_(number_++, begun_);
      begun_.clear();
      if (!status.ok()) return status;
    }
    return Status();
  }

 private:
  const Visitor& visitor_;
  std::string begun_;  // a line whose break has not come
  std::uint64_t number_ = 0;
};

ErrorSource SourceOf(const std::string& bucket, const DeliveredObject& object) {
  return {.open = {.key = object.key,
                   .bytes = object.bytes,
                   .checksum = object.checksum,
                   .lines = {{0, object.rows - 1}},
                   .bucket = bucket}};
}

ErrorSource SourceOf(const DeadLetters& letters) {
  return {
      .first = letters.first.value,
      .open = {.key = letters.stream, .lines = {{letters.first.value, letters.last.value}}, .shard = letters.shard}};
}

/// What was delivered again, by where it stands.
std::map<LinePlace, LineRanges> Replayed(const std::vector<LedgerEntry>& ledger) {
  std::map<LinePlace, LineRanges> replayed;
  for (const LedgerEntry& entry : ledger) {
    for (const ReplayedLines& replay : entry.replays) {
      LineRanges& lines = replayed[PlaceOf(replay)];
      lines.insert(lines.end(), replay.lines.begin(), replay.lines.end());
    }
  }
  for (auto& [place, lines] : replayed) lines = United(std::move(lines));
  return replayed;
}

void Take(const LineRanges& replayed, ErrorSource& source) {
  LineRanges left = Without(source.open.lines, replayed);
  source.replayed = CountLines(source.open.lines) - CountLines(left);
  source.open.lines = std::move(left);
}

}  // namespace

bool ErrorFilter::Matches(std::string_view type, std::string_view code) const {
  return reason.empty() || reason == type || reason == code || code.starts_with(reason + ".");
}

std::vector<ErrorSource> ErrorSources(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter) {
  std::vector<ErrorSource> sources;
  for (const LedgerEntry& entry : ledger) {
    if (entry.decided_ms < filter.since_ms || (filter.seq_max && entry.seq > *filter.seq_max)) continue;
    for (const DeliveredObject& object : entry.objects) {
      if (object.error && object.rows > 0) sources.push_back(SourceOf(entry.bucket, object));
    }
    for (const DeadLetters& letters : entry.dead_letters) sources.push_back(SourceOf(letters));
  }
  const std::map<LinePlace, LineRanges> replayed = Replayed(ledger);
  for (ErrorSource& source : sources) {
    if (const auto found = replayed.find(PlaceOf(source.open)); found != replayed.end()) Take(found->second, source);
  }
  return sources;
}

std::string ErrorSource::id() const {
  if (!open.shard) return open.key;
  return fmt::format("{}:{}:{}", open.shard->stream.value, open.shard->index.value, first);
}

Result<std::uint64_t> ErrorReader::Read(const ReplayedLines& lines, const Visitor& visitor) {
  if (lines.shard) return ReadDeadLetters(lines, visitor);
  Status read = ReadObject(lines, visitor);
  return read.ok() ? Result<std::uint64_t>(std::uint64_t{0}) : Error(std::move(read));
}

/// The whole object is read, whatever of it is wanted: only then it is known to be what was written.
Status ErrorReader::ReadObject(const ReplayedLines& lines, const Visitor& visitor) {
  const std::string_view type = TypeOf(lines.key);
  const LineCutter::Visitor give = [&](std::uint64_t number, std::string_view text) {
    return HasLine(lines.lines, number) ? visitor({number, type, text}) : Status();
  };
  LineCutter cutter(give);
  Checksum checksum;
  const std::string_view bucket = lines.bucket.empty() ? bucket_ : lines.bucket;
  Status read = objects_.Read(bucket, lines.key, [&](std::string_view piece) {
    checksum.Add(piece);
    bytes_read_ += piece.size();
    return cutter.Add(piece);
  });
  if (!read.ok()) return read;
  if (checksum.bytes() == lines.bytes && checksum.value() == lines.checksum) return Status();
  return Status(
      Code::kCorruption,
      fmt::format("error object '{}' holds other bytes than were written; 'sluice verify' says more", lines.key));
}

Result<std::uint64_t> ErrorReader::ReadDeadLetters(const ReplayedLines& lines, const Visitor& visitor) {
  SLUICE_CHECK(streams_ != nullptr && !lines.lines.empty());
  std::uint64_t gone = CountLines(lines.lines);
  Status visited;
  const auto give = [&](Offset offset, const protocol::RecordView& record) {
    if (!HasLine(lines.lines, offset.value)) return Status();
    --gone;
    const std::string_view text = record.value.value_or("");
    bytes_read_ += text.size();
    visited = visitor({offset.value, HeaderOf(record, kErrorTypeHeader), text});
    return visited;
  };
  Status read =
      streams_->Read(*lines.shard, Offset(lines.lines.front().first), Offset(lines.lines.back().last) + 1, give);
  if (!visited.ok()) return Error(std::move(visited));
  if (read.ok() || read.code() == Code::kNotFound) return gone;
  const Code code = read.code() == Code::kOutOfRange ? Code::kCorruption : read.code();  // the log ends before them
  return Error(code, fmt::format("dead-letter stream '{}': {}", lines.key, read.message()));
}

}  // namespace sluice::delivery
