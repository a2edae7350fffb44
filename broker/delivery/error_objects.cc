// From the ledger to lines.
#include "broker/delivery/error_objects.h"

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
  explicit LineCutter(const ErrorLineVisitor& visitor) : visitor_(visitor) {}

  /// False where the visitor wants no more.
  Result<bool> Add(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t end = piece.find('\n');
      if (end == piece.npos) {
        begun_ += piece;
        return true;
      }
      begun_ += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      const Result<bool> more = visitor_(number_++, begun_);
      begun_.clear();
      if (!more || !*more) return more;
    }
    return true;
  }

 private:
  const ErrorLineVisitor& visitor_;
  std::string begun_;  // a line whose break has not come
  std::uint64_t number_ = 0;
};

}  // namespace

bool ErrorFilter::Matches(std::string_view type, std::string_view code) const {
  return reason.empty() || reason == type || reason == code || code.starts_with(reason + ".");
}

std::vector<ErrorObject> ErrorObjects(const std::vector<LedgerEntry>& ledger, const ErrorFilter& filter) {
  std::vector<ErrorObject> objects;
  std::map<std::string_view, std::size_t> by_key;
  for (const LedgerEntry& entry : ledger) {
    for (const DeliveredObject& object : entry.objects) {
      if (!object.error || entry.decided_ms < filter.since_ms) continue;
      if (filter.seq_max && entry.seq > *filter.seq_max) continue;
      by_key.emplace(object.key, objects.size());
      objects.push_back({entry.seq, entry.decided_ms, TypeOf(object.key), object, {}});
    }
    for (const ReplayedLines& replay : entry.replays) {
      if (const auto found = by_key.find(replay.key); found != by_key.end())
        (void)AddRanges(objects[found->second].replayed, replay.lines);
    }
  }
  return objects;
}

Status ReadErrorLines(ObjectStore& objects, std::string_view bucket, const DeliveredObject& object,
                      const ErrorLineVisitor& visitor) {
  LineCutter cutter(visitor);
  Checksum checksum;
  bool stopped = false;
  Status read = objects.Read(bucket, object.key, [&](std::string_view piece) {
    checksum.Add(piece);
    const Result<bool> more = cutter.Add(piece);
    if (!more) return more.error();
    stopped = !*more;
    return stopped ? Status(Code::kInternal, "no more lines are wanted") : Status();
  });
  if (stopped) return Status();
  if (!read.ok()) return read;
  if (checksum.bytes() == object.bytes && checksum.value() == object.checksum) return Status();
  return Status(
      Code::kCorruption,
      fmt::format("error object '{}' holds other bytes than were written; 'sluice verify' says more", object.key));
}

}  // namespace sluice::delivery
