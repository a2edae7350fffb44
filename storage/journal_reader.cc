// Scanning the journal.
#include "storage/journal_reader.h"

#include <algorithm>
#include <cstring>
#include <future>
#include <limits>
#include <utility>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kWindowBytes = 8u << 20;

}  // namespace

/// A piece of a file in memory; frames that are handed out keep it alive. The piece behind it is read meanwhile.
class JournalReader::Window {
 public:
  Window(File& file, std::uint64_t file_bytes) : file_(file), file_bytes_(file_bytes) {}

  /// The bytes from `position`: at least `bytes` of them, less only at the end of the file.
  Result<std::string_view> At(std::uint64_t position, std::uint64_t bytes) {
    if (position >= file_bytes_) return std::string_view();
    bytes = std::min(bytes, file_bytes_ - position);
    if (!Holds(position, bytes)) {
      if (Status status = Load(position, bytes); !status.ok()) return Error(std::move(status));
    }
    return piece_.bytes.substr(position - begin_);
  }
  const std::shared_ptr<const char[]>& memory() const { return piece_.memory; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  std::uint64_t bytes_read = 0;

 private:
  std::uint64_t end() const { return begin_ + piece_.bytes.size(); }
  bool Holds(std::uint64_t position, std::uint64_t bytes) const {
    return position >= begin_ && position + bytes <= end();
  }

  Status Load(std::uint64_t position, std::uint64_t bytes) {
    if (ahead_.valid() && position >= begin_ && position + bytes <= ahead_at_ + kWindowBytes) {
      const Result<BulkBytes>& ahead = ahead_.get();
      if (!ahead) return ahead.error();
      if (position < ahead_at_) {
        Join(position, bytes, ahead->bytes);
        return {};
      }
      Use(ahead_at_, *ahead);
      if (Holds(position, bytes)) return {};
    }
    Result<BulkBytes> got = file_.ReadBulk(position, std::min(std::max(bytes, kWindowBytes), file_bytes_ - position));
    if (!got) return got.error();
    Use(position, *got);
    return {};
  }

  /// What begins in one piece and ends in the next is put together, so that the next one can be used as it is.
  void Join(std::uint64_t position, std::uint64_t bytes, std::string_view ahead) {
    const std::string_view front = piece_.bytes.substr(position - begin_);
    std::shared_ptr<char[]> joined = std::make_shared_for_overwrite<char[]>(bytes);
    std::ranges::copy(front, joined.get());
    std::ranges::copy(ahead.substr(0, bytes - front.size()), joined.get() + front.size());
    begin_ = position;
    piece_ = {joined, {joined.get(), bytes}};
  }

  void Use(std::uint64_t position, BulkBytes piece) {
    piece_ = std::move(piece);
    begin_ = position;
    bytes_read += piece_.bytes.size();
    ahead_at_ = end();
    ahead_ = {};
    if (ahead_at_ >= file_bytes_) return;
    ahead_ = std::async(std::launch::async, [this, position = ahead_at_] {
      return file_.ReadBulk(position, std::min(kWindowBytes, file_bytes_ - position));
    });
  }

  File& file_;
  const std::uint64_t file_bytes_;
  BulkBytes piece_;
  std::uint64_t begin_ = 0;
  std::shared_future<Result<BulkBytes>> ahead_;  // from ahead_at_
  std::uint64_t ahead_at_ = 0;
};

JournalReader::JournalReader(std::vector<JournalFiles::Found> files) : found_(std::move(files)) {
  for (const JournalFiles::Found& found : found_) Learn(found);
  std::ranges::sort(files_, {}, &LiveFile::sequence);
}

void JournalReader::Learn(const JournalFiles::Found& found) {
  if (found.header && found.header->sequence == 0) return;  // never used
  if (found.header) {
    files_.push_back({&found, found.header->sequence, found.header->first_group, true});
    return;
  }
  // The header is damaged, or was torn at the file's first use: the newest group in the file tells whose it is.
  Window window(*found.file, found.bytes);
  LiveFile file;
  file.found = &found;
  for (std::uint64_t at = kJournalFirstGroupAt; at < found.bytes; at += kPageBytes) {
    const Result<std::string_view> bytes = window.At(at, kBlockHeaderBytes);
    if (!bytes) return;
    const Result<GroupHeader> group = ParseGroupHeader(*bytes);
    if (!group || group->file_sequence < file.sequence) continue;
    const Result<std::string_view> whole = window.At(at, kBlockHeaderBytes + group->index_bytes());
    if (!whole || !VerifyGroupHeader(*whole)) continue;
    if (group->file_sequence > file.sequence) file.first_group = std::nullopt;
    file.sequence = group->file_sequence;
    if (at == kJournalFirstGroupAt) file.first_group = group->number;
  }
  if (file.sequence > 0) files_.push_back(file);
}

std::uint64_t JournalReader::LimitOf(const Cursor& cursor) const {
  if (cursor.next_file != nullptr && cursor.next_file->first_group) return *cursor.next_file->first_group;
  return std::numeric_limits<std::uint64_t>::max();
}

Result<JournalReader::Summary> JournalReader::Read(const JournalPosition& from, std::uint64_t durable_mark, bool clean,
                                                   const Visitor& visitor) {
  summary_ = {.last_group = from.group - 1, .last_sequence = from.file_sequence - 1};  // that file need not be begun
  mark_ = durable_mark;
  mark_searched_ = clean;
  for (const LiveFile& file : files_) summary_.last_sequence = std::max(summary_.last_sequence, file.sequence);
  Cursor cursor{.group = from.group};
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (files_[i].sequence < from.file_sequence) continue;
    cursor.file = &files_[i];
    cursor.next_file = i + 1 < files_.size() ? &files_[i + 1] : nullptr;
    cursor.position = files_[i].sequence == from.file_sequence ? from.position : kJournalFirstGroupAt;
    if (files_[i].sequence > from.file_sequence && files_[i].first_group && *files_[i].first_group > cursor.group) {
      // A whole file is missing before this one. Its groups were flushed before this one was begun.
      visitor.damage(
          {.path = files_[i].found->path, .position = 0, .group = cursor.group, .lost = {}, .complete = false});
      cursor.group = *files_[i].first_group;
    }
    Result<Outcome> outcome = ReadFile(cursor, visitor);
    if (!outcome) return Error(std::move(outcome.error()));
    if (*outcome == Outcome::kTorn) break;
  }
  summary_.last_group = cursor.group - 1;
  return summary_;
}

Result<JournalReader::Outcome> JournalReader::ReadFile(Cursor& cursor, const Visitor& visitor) {
  Window window(*cursor.file->found->file, cursor.file->found->bytes);
  Result<Outcome> outcome = Outcome::kGood;
  while (outcome && *outcome == Outcome::kGood) {
    // What lies behind the group with which the next file begins is stale: it was cut off by an earlier recovery.
    if (cursor.group >= LimitOf(cursor)) {
      outcome = Outcome::kEndOfFile;
      break;
    }
    outcome = ReadGroup(window, cursor, visitor);
  }
  summary_.bytes_scanned += window.bytes_read;
  return outcome;
}

Result<JournalReader::Outcome> JournalReader::ReadGroup(Window& window, Cursor& cursor, const Visitor& visitor) {
  Result<std::string_view> bytes = window.At(cursor.position, kBlockHeaderBytes);
  if (!bytes) return Error(std::move(bytes.error()));
  Result<GroupHeader> header = ParseGroupHeader(*bytes);
  const bool ours = header && header->number == cursor.group && header->file_sequence == cursor.file->sequence &&
                    cursor.position + header->bytes <= window.file_bytes();
  if (!ours) return HandleBadGroup(window, cursor, visitor);
  bytes = window.At(cursor.position, header->bytes);
  if (!bytes) return Error(std::move(bytes.error()));
  if (bytes->size() < header->bytes || !VerifyGroupHeader(*bytes)) return HandleBadGroup(window, cursor, visitor);

  std::vector<protocol::Frame> frames;
  JournalDamage damage{.path = cursor.file->found->path,
                       .position = cursor.position,
                       .group = cursor.group,
                       .lost = {},
                       .complete = true};
  std::uint64_t at = kBlockHeaderBytes + header->index_bytes();
  for (std::uint32_t i = 0; i < header->frame_count; ++i) {
    const GroupEntry entry = DecodeGroupEntry(bytes->data() + kBlockHeaderBytes + i * kGroupEntryBytes);
    const std::string_view frame = bytes->substr(at, entry.frame_bytes);
    const Result<protocol::FrameHeader> good = protocol::VerifyFrame(frame);
    if (good && good->checksum == entry.frame_checksum && good->total_size() == entry.frame_bytes) {
      frames.push_back(protocol::Frame::Borrow(window.memory(), frame, *good));
    } else {
      damage.lost.push_back(entry);
    }
    at = std::min<std::uint64_t>(at + entry.frame_bytes, header->bytes);
  }
  if (!damage.lost.empty()) {
    if (Status status = FindMark(cursor); !status.ok()) return Error(std::move(status));
    if (cursor.group > mark_) {
      summary_.torn_bytes += header->padded_bytes();
      return Outcome::kTorn;
    }
    visitor.damage(damage);
  }
  for (protocol::Frame& frame : frames) {
    if (Status status = visitor.frame(std::move(frame)); !status.ok()) return Error(std::move(status));
  }
  mark_ = std::max(mark_, header->durable_mark);
  cursor.position += header->padded_bytes();
  ++cursor.group;
  return Outcome::kGood;
}

Result<JournalReader::Outcome> JournalReader::HandleBadGroup(Window& window, Cursor& cursor, const Visitor& visitor) {
  if (Status status = FindMark(cursor); !status.ok()) return Error(std::move(status));
  if (cursor.group > mark_) {
    Result<std::string_view> bytes = window.At(cursor.position, kBlockHeaderBytes);
    if (!bytes) return Error(std::move(bytes.error()));
    const Result<GroupHeader> header = ParseGroupHeader(*bytes);
    if (header && header->number == cursor.group && header->file_sequence == cursor.file->sequence) {
      summary_.torn_bytes += header->padded_bytes();
    }
    return Outcome::kTorn;
  }
  GroupHeader next;
  Result<std::uint64_t> found = FindGroup(window, *cursor.file, cursor.position + kPageBytes, cursor.group, next);
  if (!found) return Error(std::move(found.error()));
  JournalDamage damage{.path = cursor.file->found->path,
                       .position = cursor.position,
                       .group = cursor.group,
                       .lost = {},
                       .complete = false};
  Result<bool> whole = Salvage(window, cursor.position, *found, visitor);
  if (!whole) return Error(std::move(whole.error()));
  const bool in_file = *found < window.file_bytes() && next.number < LimitOf(cursor);
  damage.complete = *whole && (in_file ? next.number : LimitOf(cursor)) == cursor.group + 1;
  visitor.damage(damage);
  if (in_file) {
    cursor.position = *found;
    cursor.group = next.number;
    return Outcome::kGood;
  }
  // No more groups in this file: the next one says where it goes on, else everything up to the mark is lost.
  const std::uint64_t limit = LimitOf(cursor);
  cursor.group = limit != std::numeric_limits<std::uint64_t>::max() ? limit : mark_ + 1;
  return Outcome::kEndOfFile;
}

Result<std::uint64_t> JournalReader::FindGroup(Window& window, const LiveFile& file, std::uint64_t position,
                                               std::uint64_t group, GroupHeader& header) {
  for (std::uint64_t at = position; at < window.file_bytes(); at += kPageBytes) {
    Result<std::string_view> bytes = window.At(at, kBlockHeaderBytes);
    if (!bytes) return Error(std::move(bytes.error()));
    const Result<GroupHeader> parsed = ParseGroupHeader(*bytes);
    if (!parsed || parsed->file_sequence != file.sequence || parsed->number <= group) continue;
    bytes = window.At(at, kBlockHeaderBytes + parsed->index_bytes());
    if (!bytes) return Error(std::move(bytes.error()));
    if (!VerifyGroupHeader(*bytes)) continue;
    header = *parsed;
    return at;
  }
  return window.file_bytes();
}

Status JournalReader::FindMark(const Cursor& cursor) {
  if (std::exchange(mark_searched_, true)) return {};
  for (const LiveFile& file : files_) {
    if (file.sequence < cursor.file->sequence) continue;
    // A file is begun only when everything in the file before is flushed.
    if (file.sequence > cursor.file->sequence && file.header_good) mark_ = std::max(mark_, *file.first_group - 1);
    Window window(*file.found->file, file.found->bytes);
    std::uint64_t at = &file == cursor.file ? cursor.position : kJournalFirstGroupAt;
    while (at < file.found->bytes) {
      GroupHeader header;
      Result<std::uint64_t> found = FindGroup(window, file, at, cursor.group, header);
      if (!found) return found.error();
      if (*found < file.found->bytes) mark_ = std::max(mark_, header.durable_mark);
      at = *found + kPageBytes;
    }
    summary_.bytes_scanned += window.bytes_read;
  }
  return {};
}

Result<bool> JournalReader::Salvage(Window& window, std::uint64_t begin, std::uint64_t end, const Visitor& visitor) {
  Result<std::string_view> region = window.At(begin, end - begin);
  if (!region) return Error(std::move(region.error()));
  const std::string_view bytes = region->substr(0, end - begin);
  char magic[sizeof protocol::kFrameMagic];
  std::memcpy(magic, &protocol::kFrameMagic, sizeof magic);
  std::size_t frames = 0;
  std::size_t first_at = 0;
  std::size_t next_at = 0;
  bool contiguous = true;
  for (std::size_t at = bytes.find(std::string_view(magic, 4)); at != std::string_view::npos;
       at = bytes.find(std::string_view(magic, 4), at)) {
    const Result<protocol::FrameHeader> header = protocol::VerifyFrame(bytes.substr(at));
    if (!header) {
      ++at;
      continue;
    }
    if (frames++ == 0) first_at = at;
    contiguous &= frames == 1 || at == next_at;
    Status status = visitor.frame(protocol::Frame::Borrow(window.memory(), bytes.substr(at), *header));
    if (!status.ok()) return Error(std::move(status));
    at = next_at = at + header->total_size();
  }
  // Whole: the frames fill the group from behind an index of their number up to the padding.
  return frames > 0 && contiguous && first_at == kBlockHeaderBytes + frames * kGroupEntryBytes &&
         bytes.size() - next_at < kPageBytes && bytes.find_first_not_of('\0', next_at) == std::string_view::npos;
}

}  // namespace sluice::storage
