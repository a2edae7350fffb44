// Writing, reading and scanning one segment file.
#include "storage/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "protocol/check.h"
#include "storage/segment_store.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kReadPieceMax = 1u << 20;
constexpr std::uint64_t kReadPieceMin = 64u << 10;
constexpr std::uint64_t kScanPieceBytes = 4u << 20;
constexpr std::uint64_t kWritebackBytes = 8u << 20;

/// The smallest position after `from` where a frame could begin; npos where there is none.
std::size_t FindMagic(std::string_view bytes, std::size_t from) {
  char magic[sizeof protocol::kFrameMagic];
  const std::uint32_t value = protocol::kFrameMagic;
  std::memcpy(magic, &value, sizeof magic);
  return bytes.find(std::string_view(magic, sizeof magic), from);
}

}  // namespace

Segment::Segment(SegmentStore& store, SegmentName name, const SegmentExtent& extent)
    : store_(store), name_(name), extent_(extent), synced_bytes_(extent.bytes) {
  SLUICE_CHECK(extent.base == name.base_offset && extent.end >= extent.base);
}

std::string Segment::path() const { return store_.PathOf(name_); }

SegmentExtent Segment::extent() const {
  const MutexLock lock(mutex_);
  return extent_;
}

Status Segment::Create(const SegmentHeader& header) {
  Result<std::unique_ptr<File>> file = store_.CreateFile(name_);
  if (!file) return file.error();
  if (Status status = (*file)->Write(0, EncodeSegmentHeader(header)); !status.ok()) return status;
  {
    const MutexLock lock(mutex_);
    file_ = std::move(*file);
    writable_ = true;
    extent_.bytes = kSegmentFirstFrameAt;
    synced_bytes_ = 0;
    index_ = std::make_shared<SparseIndex>();
  }
  store_.NoteOpen(shared_from_this());
  return {};
}

Status Segment::Append(std::span<const protocol::Frame> frames) {
  Result<std::shared_ptr<File>> file = OpenFile(OpenMode::kReadWrite);
  if (!file) return file.error();
  SegmentExtent extent = this->extent();
  SLUICE_CHECK(!frames.empty() && frames.front().base_offset() == extent.end);
  std::vector<std::string_view> pieces;
  pieces.reserve(frames.size());
  for (const protocol::Frame& frame : frames) pieces.push_back(frame.bytes());
  if (Status status = (*file)->WriteBulk(extent.bytes, pieces); !status.ok()) return status;

  const MutexLock lock(mutex_);
  if (index_ == nullptr) index_ = std::make_shared<SparseIndex>();  // knows only what comes from here on
  // Readers share the index: one that is in use is copied, which is seldom and small.
  if (index_.use_count() > 1) index_ = std::make_shared<SparseIndex>(*index_);
  for (const protocol::Frame& frame : frames) {
    SLUICE_CHECK(frame.base_offset() == extent.end && frame.header().shard == name_.shard);
    index_->Add(extent.end, extent.bytes, frame.header().append_time_ms);
    extent.end = frame.end_offset();
    extent.bytes += frame.size();
  }
  extent.last_append_time_ms = frames.back().header().append_time_ms;
  extent.last_checksum = frames.back().header().checksum;
  extent_ = extent;
  if (extent.bytes - writeback_at_ >= kWritebackBytes) {
    (*file)->StartWriteback(writeback_at_, extent.bytes - writeback_at_);
    writeback_at_ = extent.bytes;
  }
  return {};
}

Status Segment::Sync() {
  std::shared_ptr<File> file;
  std::uint64_t bytes = 0;
  {
    const MutexLock lock(mutex_);
    if (synced_bytes_ == extent_.bytes) return {};
    file = file_;
    bytes = extent_.bytes;
  }
  SLUICE_CHECK(file != nullptr);  // a file with unsynced bytes stays open: an error is reported once, to its descriptor
  if (Status status = file->Sync(); !status.ok()) return status;
  const MutexLock lock(mutex_);
  synced_bytes_ = std::max(synced_bytes_, bytes);
  return {};
}

bool Segment::dirty() const {
  const MutexLock lock(mutex_);
  return synced_bytes_ != extent_.bytes;
}

void Segment::Seal() {
  std::string bytes;
  {
    const MutexLock lock(mutex_);
    if (index_ == nullptr || index_->empty() || index_->first() != base()) return;
    bytes = index_->Encode(name_, extent_.end);
  }
  if (Result<std::unique_ptr<File>> file = store_.env().Open(store_.IndexPathOf(name_), OpenMode::kCreateOrOpen)) {
    (void)(*file)->Write(0, bytes);
  }
}

bool Segment::Release() {
  const MutexLock lock(mutex_);
  if (synced_bytes_ != extent_.bytes) return false;
  file_.reset();
  index_.reset();
  return true;
}

Result<std::shared_ptr<File>> Segment::OpenFile(OpenMode mode) {
  std::shared_ptr<File> opened;
  {
    const MutexLock lock(mutex_);
    if (file_ != nullptr && (writable_ || mode == OpenMode::kRead)) return file_;
    SLUICE_CHECK(synced_bytes_ == extent_.bytes);  // else the file that was written is given up with its errors
    const bool noted = file_ != nullptr;
    Result<std::unique_ptr<File>> file =
        mode == OpenMode::kRead ? store_.env().Open(path(), mode) : store_.OpenToWrite(path());
    if (!file) return Error(std::move(file.error()));
    opened = file_ = std::move(*file);
    writable_ = mode != OpenMode::kRead;
    if (noted) return opened;
  }
  store_.NoteOpen(shared_from_this());
  return opened;
}

Result<std::string_view> Segment::ReadPiece(File& file, std::uint64_t position, std::uint64_t bytes,
                                            std::shared_ptr<const char[]>& memory) {
  std::shared_ptr<char[]> piece = std::make_shared_for_overwrite<char[]>(bytes);
  Result<std::size_t> got = file.Read(position, std::span(piece.get(), bytes));
  if (!got) return Error(got.error().WithContext(path()));
  const std::string_view view(piece.get(), *got);
  memory = std::move(piece);
  return view;
}

Result<std::string_view> Segment::ReadShorterPiece(File& file, const Place& place, std::uint64_t& bytes,
                                                   std::shared_ptr<const char[]>& memory) {
  const std::uint64_t unreadable_bytes = bytes;
  Result<std::string_view> piece;
  do {
    bytes /= 2;
    piece = ReadPiece(file, place.position, bytes, memory);
  } while (!piece && bytes >= 2 * protocol::kFrameHeaderSize);
  std::string offsets = fmt::format("offset {} on", place.offset.value);
  if (piece) {
    const Result<protocol::FrameHeader> header = protocol::ParseFrameHeader(*piece);
    if (!header || header->total_size() <= bytes) return piece;
    bytes = std::min(header->total_size(), unreadable_bytes);
    piece = ReadPiece(file, place.position, bytes, memory);
    if (piece) return piece;
    offsets = fmt::format("offsets {} to {}", place.offset.value, header->end_offset().value - 1);
  }
  return Error(piece.error().WithContext(fmt::format("shard {}: {} cannot be read", ToString(name_.shard), offsets)));
}

Result<protocol::FrameHeader> Segment::CheckFrame(std::string_view bytes, Offset expected) const {
  Result<protocol::FrameHeader> header = protocol::VerifyFrame(bytes);
  if (!header) return header;
  if (header->shard == name_.shard && header->base_offset == expected) return header;
  return Error(Code::kCorruption,
               fmt::format("a frame of shard {} at offset {} stands where offset {} of shard {} was expected",
                           ToString(header->shard), header->base_offset.value, expected.value, ToString(name_.shard)));
}

Result<Segment::Place> Segment::SkipDamage(File& file, Place place, Offset from, const SegmentExtent& extent) {
  std::shared_ptr<const char[]> memory;
  Result<std::string_view> rest = ReadPiece(file, place.position, extent.bytes - place.position, memory);
  if (!rest) return Error(std::move(rest.error()));
  Place next{extent.bytes, extent.end};
  for (std::size_t at = FindMagic(*rest, 1); at != std::string_view::npos; at = FindMagic(*rest, at + 1)) {
    const Result<protocol::FrameHeader> header = protocol::VerifyFrame(rest->substr(at));
    if (!header || header->shard != name_.shard || header->base_offset <= place.offset) continue;
    if (header->end_offset() > extent.end) continue;
    next = {place.position + at, header->base_offset};
    break;
  }
  if (from >= next.offset && next.offset < extent.end) return next;
  {
    const MutexLock lock(mutex_);
    const Hole hole{place.offset, next.offset};
    if (std::ranges::find(damage_, hole) == damage_.end()) damage_.push_back(hole);
  }
  return Error(Code::kCorruption,
               fmt::format("shard {}: offsets {} to {} are damaged in {} (bytes {} to {}); read on at offset {}",
                           ToString(name_.shard), place.offset.value, next.offset.value - 1, path(), place.position,
                           next.position, next.offset.value));
}

Result<FrameRun> Segment::Read(Offset from, std::uint64_t bytes_max) {
  const SegmentExtent extent = this->extent();
  SLUICE_CHECK(from >= extent.base && from < extent.end);
  Result<std::shared_ptr<const SparseIndex>> index = IndexFor(from);
  if (!index) return Error(std::move(index.error()));
  Result<std::shared_ptr<File>> file = OpenFile(OpenMode::kRead);
  if (!file) return Error(std::move(file.error()));
  const SparseIndex::Entry& entry = (*index)->Find(from);
  Place place{entry.position, entry.offset};
  std::uint64_t piece_bytes = std::clamp(bytes_max, kReadPieceMin, kReadPieceMax) + kIndexSpacingBytes;

  FrameRun run{.frames = {}, .next = from};
  while (run.frames.empty() && place.offset < extent.end) {
    std::shared_ptr<const char[]> memory;
    std::uint64_t bytes = std::min(piece_bytes, extent.bytes - place.position);
    Result<std::string_view> piece = ReadPiece(**file, place.position, bytes, memory);
    if (!piece && piece.error().code() == Code::kIoError) piece = ReadShorterPiece(**file, place, bytes, memory);
    if (!piece) return Error(std::move(piece.error()));
    std::string_view rest = *piece;
    while (place.offset < extent.end) {
      const Result<protocol::FrameHeader> parsed = protocol::ParseFrameHeader(rest);
      const bool cut = parsed ? rest.size() < parsed->total_size() : rest.size() < protocol::kFrameHeaderSize;
      // A short piece is a file that was cut off: then the frame goes on nowhere.
      if (cut && piece->size() == bytes && place.position + rest.size() < extent.bytes) {
        if (parsed) piece_bytes = std::max(piece_bytes, parsed->total_size());
        break;  // the frame goes on behind this piece
      }
      const Result<protocol::FrameHeader> header = CheckFrame(rest, place.offset);
      if (!header) {
        if (!run.frames.empty()) return run;  // the next read meets the damage
        Result<Place> next = SkipDamage(**file, place, from, extent);
        if (!next) return Error(std::move(next.error()));
        place = *next;
        break;
      }
      if (header->end_offset() > from) {
        if (!run.frames.empty() && run.bytes + header->total_size() > bytes_max) return run;
        run.frames.push_back(protocol::Frame::Borrow(memory, rest, *header));
        run.bytes += header->total_size();
        run.next = header->end_offset();
      }
      place = {place.position + header->total_size(), header->end_offset()};
      rest.remove_prefix(header->total_size());
    }
  }
  SLUICE_CHECK(!run.frames.empty());
  return run;
}

Result<std::shared_ptr<const SparseIndex>> Segment::IndexFor(Offset from) {
  {
    const MutexLock lock(mutex_);
    if (index_ != nullptr && !index_->empty() && index_->first() <= from) return index_;
  }
  return LoadIndex();
}

Result<std::shared_ptr<const SparseIndex>> Segment::LoadIndex() {
  const SegmentExtent extent = this->extent();
  std::shared_ptr<SparseIndex> index;
  if (Result<std::unique_ptr<File>> file = store_.env().Open(store_.IndexPathOf(name_), OpenMode::kRead)) {
    std::string bytes((*file)->Size().value_or(0), '\0');
    const std::size_t got = (*file)->Read(0, bytes).value_or(0);
    Result<SparseIndex> stored = SparseIndex::Decode(std::string_view(bytes).substr(0, got), name_, extent.end);
    if (stored) index = std::make_shared<SparseIndex>(std::move(*stored));
  }
  if (index == nullptr) {
    index = std::make_shared<SparseIndex>();
    std::uint64_t position = kSegmentFirstFrameAt;
    Result<SegmentExtent> scanned =
        Scan(extent.bytes, [&](std::string_view frame, const protocol::FrameHeader& header) {
          index->Add(header.base_offset, position, header.append_time_ms);
          position += frame.size();
        });
    if (!scanned) return Error(std::move(scanned.error()));
    // The first frame is always found by the start of the file, be it damaged or not.
    if (index->empty()) index->Add(extent.base, kSegmentFirstFrameAt, 0);
  }
  const MutexLock lock(mutex_);
  if (extent_.end == extent.end) index_ = index;  // else it has grown meanwhile: the next reader rebuilds it
  return std::shared_ptr<const SparseIndex>(index);
}

Result<Offset> Segment::StartForTime(std::int64_t time_ms) {
  Result<std::shared_ptr<const SparseIndex>> index = IndexFor(base());
  if (!index) return Error(std::move(index.error()));
  return (*index)->FindTime(time_ms).offset;
}

std::vector<Hole> Segment::damage() const {
  const MutexLock lock(mutex_);
  return damage_;
}

std::vector<Hole> Segment::TakeDamage() {
  const auto take = [this] {
    const MutexLock lock(mutex_);
    return std::exchange(damage_, {});
  };
  for (const Hole& hole : take()) (void)Read(hole.first, 1);  // notes it again, if it still is
  return take();
}

Result<SegmentExtent> Segment::Scan(std::uint64_t bytes_max, const FrameVisitor& each) {
  Result<std::shared_ptr<File>> file = OpenFile(OpenMode::kRead);
  if (!file) return Error(std::move(file.error()));
  Result<std::uint64_t> size = (*file)->Size();
  if (!size) return Error(std::move(size.error()));
  const std::uint64_t limit = std::min(*size, bytes_max);
  SegmentExtent extent{.base = base(), .end = base(), .bytes = kSegmentFirstFrameAt};
  std::uint64_t piece_bytes = kScanPieceBytes;
  while (extent.bytes < limit) {
    std::shared_ptr<const char[]> memory;
    const std::uint64_t bytes = std::min(piece_bytes, limit - extent.bytes);
    Result<std::string_view> piece = ReadPiece(**file, extent.bytes, bytes, memory);
    if (!piece) return Error(std::move(piece.error()));
    std::string_view rest = *piece;
    while (true) {
      const Result<protocol::FrameHeader> header = CheckFrame(rest, extent.end);
      if (!header) break;
      each(rest.substr(0, header->total_size()), *header);
      extent.end = header->end_offset();
      extent.bytes += header->total_size();
      extent.last_append_time_ms = header->append_time_ms;
      extent.last_checksum = header->checksum;
      rest.remove_prefix(header->total_size());
    }
    if (rest.size() < piece->size()) continue;  // came forward: read on behind the last good frame
    const Result<protocol::FrameHeader> parsed = protocol::ParseFrameHeader(rest);
    const bool larger = parsed && parsed->total_size() > rest.size() && bytes < limit - extent.bytes;
    if (!larger) break;
    piece_bytes = parsed->total_size();
  }
  return extent;
}

Result<SegmentExtent> Segment::Rebuild(const FrameVisitor& each) {
  Result<std::shared_ptr<File>> file = OpenFile(OpenMode::kReadWrite);
  if (!file) return Error(std::move(file.error()));
  if (Status status = (*file)->Sync(); !status.ok()) return Error(std::move(status));
  if (Status status = (*file)->DropCache(); !status.ok()) return Error(std::move(status));
  // A damaged header takes nothing from the frames: each of them tells its shard and offset.
  Result<SegmentExtent> extent = Scan(std::numeric_limits<std::uint64_t>::max(), each);
  if (!extent) return extent;
  const MutexLock lock(mutex_);
  extent_ = *extent;
  synced_bytes_ = extent->bytes;
  return extent;
}

}  // namespace sluice::storage
