// Writing groups to the journal.
#include "storage/journal.h"

#include <array>

#include "protocol/check.h"

namespace sluice::storage {
namespace {

constexpr std::array<char, kPageBytes> kPadding{};

std::uint64_t Padded(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

}  // namespace

Journal::Journal(Env& env, JournalFiles& files, std::uint64_t next_sequence, std::uint64_t next_group)
    : env_(env),
      files_(files),
      sequence_(next_sequence - 1),
      next_group_(next_group),
      written_mark_(next_group - 1),
      durable_mark_(next_group - 1) {
  SLUICE_CHECK(next_sequence > 0 && next_group > 0);
}

std::uint64_t Journal::GroupBytes(std::size_t frame_count, std::uint64_t frame_bytes) {
  return Padded(kBlockHeaderBytes + frame_count * kGroupEntryBytes + frame_bytes);
}

void Journal::BeginFile() {
  SLUICE_CHECK(durable_mark() == last_group());
  file_ = files_.Take(sequence_ + 1);
  SLUICE_CHECK(file_.file != nullptr);
  ++sequence_;
  position_ = kJournalFirstGroupAt;
  file_header_ = EncodeJournalFileHeader({.sequence = sequence_,
                                          .first_group = next_group_,
                                          .file_bytes = file_.bytes,
                                          .begun_ms = env_.clock().WallMs()});
}

Result<JournalPosition> Journal::Write(std::span<const protocol::Frame* const> frames) {
  std::uint64_t frame_bytes = 0;
  for (const protocol::Frame* frame : frames) frame_bytes += frame->size();
  const std::uint64_t group_bytes = GroupBytes(frames.size(), frame_bytes);
  SLUICE_CHECK(Fits(group_bytes) && position_ % kPageBytes == 0);

  GroupHeader header{.number = next_group_, .file_sequence = sequence_, .durable_mark = durable_mark()};
  header.frame_count = static_cast<std::uint32_t>(frames.size());
  header.bytes = static_cast<std::uint32_t>(kBlockHeaderBytes + header.index_bytes() + frame_bytes);
  header.written_ms = env_.clock().WallMs();
  header_and_index_.assign(kBlockHeaderBytes, '\0');
  for (const protocol::Frame* frame : frames) AppendGroupEntry(frame->header(), header_and_index_);
  SealGroupHeader(header, header_and_index_);

  pieces_.clear();
  if (!file_header_.empty()) pieces_.emplace_back(file_header_);
  pieces_.emplace_back(header_and_index_);
  for (const protocol::Frame* frame : frames) pieces_.push_back(frame->bytes());
  pieces_.emplace_back(kPadding.data(), group_bytes - header.bytes);
  const std::uint64_t begin = file_header_.empty() ? position_ : 0;
  // One page is what a client makes that waits for each answer: past the page cache its flush has nothing to write.
  Status status = group_bytes == kPageBytes ? file_.file->WriteBulk(begin, pieces_) : file_.file->Write(begin, pieces_);
  if (!status.ok()) return Error(std::move(status));

  file_header_.clear();
  written_mark_ = header.durable_mark;
  const JournalPosition at = next();
  position_ += group_bytes;
  ++next_group_;
  return at;
}

Status Journal::Sync(std::uint64_t group) {
  SLUICE_CHECK(file_.file != nullptr && group >= durable_mark());
  if (Status status = file_.file->Sync(); !status.ok()) return status;
  durable_mark_.store(group, std::memory_order_release);
  return {};
}

}  // namespace sluice::storage
