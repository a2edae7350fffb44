// From the ledger to lines.
#include "broker/delivery/error_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/delivery/checksum.h"

namespace sluice::delivery {
namespace {

/// The prefix of errors always holds the type; the last one counts, where a prefix has another's name in it.
std::string_view TypeOf(std::string_view key) {
  std::string_view type = kErrorTypes.front();
  std::size_t place = 0;
  for (const std::string_view each : kErrorTypes) {
    const std::size_t found = key.rfind(each);
    if (found == key.npos || found < place) continue;
    place = found;
    type = each;
  }
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

ErrorSource SourceOf(const DeliveredObject& object) {
  return {.open = {.key = object.key,
                   .bytes = object.bytes,
                   .checksum = object.checksum,
                   .lines = {{0, object.rows - 1}}}};
}

void Take(const LineRanges& replayed, ErrorSource& source) {
  LineRanges left = Without(source.open.lines, replayed);
  source.replayed += CountLines(source.open.lines) - CountLines(left);
  source.open.lines = std::move(left);
}

}  // namespace

bool ErrorFilter::Matches(std::string_view type, std::string_view code) const {
  return reason.empty() || reason == type || reason == code || code.starts_with(reason + ".");
}

std::vector<ErrorSource> ErrorSources(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter) {
  std::vector<ErrorSource> sources;
  std::map<std::string_view, std::size_t> by_key;
  for (const LedgerEntry& entry : ledger) {
    const bool meant = entry.decided_ms >= filter.since_ms && (!filter.seq_max || entry.seq <= *filter.seq_max);
    for (const DeliveredObject& object : entry.objects) {
      if (!meant || !object.error || object.rows == 0) continue;
      by_key.emplace(object.key, sources.size());
      sources.push_back(SourceOf(object));
    }
    for (const ReplayedLines& replay : entry.replays) {
      if (const auto found = by_key.find(replay.key); found != by_key.end())
        Take(replay.lines, sources[found->second]);
    }
  }
  return sources;
}

/// The whole object is read, whatever of it is wanted: only then it is known to be what was written.
Status ErrorReader::Read(const ReplayedLines& lines, const Visitor& visitor) {
  const std::string_view type = TypeOf(lines.key);
  const LineCutter::Visitor give = [&](std::uint64_t number, std::string_view text) {
    return HasLine(lines.lines, number) ? visitor({number, type, text}) : Status();
  };
  LineCutter cutter(give);
  Checksum checksum;
  Status read = objects_.Read(bucket_, lines.key, [&](std::string_view piece) {
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

}  // namespace sluice::delivery
