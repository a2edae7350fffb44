// Walks the frames of one file by the formats of storage/FORMAT.md.
#include "tools/logdump/logdump.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "protocol/sealed_batch.h"
#include "storage/env/posix_env.h"
#include "storage/journal_format.h"
#include "storage/segment_format.h"

namespace sluice::tools {

namespace {

/// A file read piece by piece; View(at, bytes) gives fewer bytes only at the end.
class FileWindow {
 public:
  explicit FileWindow(std::unique_ptr<storage::File> file) : file_(std::move(file)) {}

  Result<std::string_view> View(std::uint64_t at, std::size_t bytes) {
    if (at < start_ || at + bytes > start_ + size_) {
      buffer_.resize(std::max(bytes, kWindowBytes));
      auto got = file_->Read(at, buffer_);
      if (!got) return Error(got.error());
      start_ = at;
      size_ = *got;
    }
    const std::uint64_t skip = at - start_;
    return std::string_view(buffer_.data() + skip, std::min<std::uint64_t>(bytes, size_ - skip));
  }

 private:
  static constexpr std::size_t kWindowBytes = 4u << 20;
  std::unique_ptr<storage::File> file_;
  std::string buffer_;
  std::uint64_t start_ = 0;
  std::uint64_t size_ = 0;
};

class Dumper {
 public:
  Dumper(FileWindow& window, const std::function<void(const DumpedFrame&)>& take) : window_(window), take_(take) {}

  /// Frames back to back until one does not begin there; the bytes behind are what an earlier use of the file left.
  Result<DumpSummary> DumpSegment(const storage::SegmentHeader& segment) {
    summary_.kind = fmt::format("segment of {} from offset {}", ToString(segment.shard), segment.base_offset.value);
    Offset expected = segment.base_offset;
    for (std::uint64_t at = storage::kSegmentFirstFrameAt;;) {
      auto head = window_.View(at, protocol::kFrameHeaderSize);
      if (!head) return Error(head.error());
      auto header = protocol::ParseFrameHeader(*head);
      if (!header || header->shard != segment.shard || header->base_offset != expected) return summary_;
      if (Status status = TakeFrame(at, *header); !status.ok()) return Error(status);
      at += header->total_size();
      expected = header->end_offset();
    }
  }

  /// Groups, each on a page boundary, numbered without gaps; the first that does not fit ends the file's present use.
  Result<DumpSummary> DumpJournal(const storage::JournalFileHeader& file) {
    summary_.kind = fmt::format("journal file {}", file.sequence);
    std::uint64_t number = file.first_group;
    for (std::uint64_t at = storage::kJournalFirstGroupAt; at < file.file_bytes; ++number) {
      auto head = window_.View(at, storage::kBlockHeaderBytes);
      if (!head) return Error(head.error());
      auto group = storage::ParseGroupHeader(*head);
      if (!group || group->number != number || group->file_sequence != file.sequence) return summary_;
      if (Status status = TakeGroup(at, *group); !status.ok()) return Error(status);
      at += group->padded_bytes();
    }
    return summary_;
  }

 private:
  Status TakeGroup(std::uint64_t at, const storage::GroupHeader& group) {
    std::uint64_t frame_at = at + storage::kBlockHeaderBytes + group.index_bytes();
    for (std::uint32_t i = 0; i < group.frame_count; ++i) {
      auto head = window_.View(frame_at, protocol::kFrameHeaderSize);
      if (!head) return head.error();
      auto header = protocol::ParseFrameHeader(*head);
      if (!header) {
        ++summary_.damaged;
        return {};
      }
      if (Status status = TakeFrame(frame_at, *header); !status.ok()) return status;
      frame_at += header->total_size();
    }
    return {};
  }

  Status TakeFrame(std::uint64_t at, const protocol::FrameHeader& header) {
    auto bytes = window_.View(at, header.total_size());
    if (!bytes) return bytes.error();
    auto verified = protocol::VerifyFrame(*bytes);
    ++summary_.frames;
    summary_.records += header.record_count;
    if (!verified) ++summary_.damaged;
    take_({at, header,
           verified ? DataKeyOf(bytes->substr(protocol::kFrameHeaderSize, header.payload_bytes)) : std::nullopt,
           verified ? Status() : verified.error()});
    return {};
  }

  static std::optional<std::uint32_t> DataKeyOf(std::string_view batch) {
    const auto seal = protocol::IsSealed(batch) ? protocol::ParseSealHeader(batch) : Error(Status());
    return seal ? std::optional(seal->key_number) : std::nullopt;
  }

  FileWindow& window_;
  const std::function<void(const DumpedFrame&)>& take_;
  DumpSummary summary_;
};

}  // namespace

Result<DumpSummary> DumpLogFile(const std::string& path, const std::function<void(const DumpedFrame&)>& take) {
  const std::unique_ptr<storage::Env> env = storage::NewPosixEnv();
  auto file = env->Open(path, storage::OpenMode::kRead);
  if (!file) return Error(file.error());
  FileWindow window(std::move(*file));
  auto page = window.View(0, storage::kPageBytes);
  if (!page) return Error(page.error());
  const std::string first_page(*page);
  Dumper dumper(window, take);
  if (auto segment = storage::DecodeSegmentHeader(first_page)) return dumper.DumpSegment(*segment);
  if (auto journal = storage::DecodeJournalFileHeader(first_page)) return dumper.DumpJournal(*journal);
  return Error(Code::kCorruption,
               fmt::format("{} is neither a segment nor a journal file, or its first page is damaged", path));
}

}  // namespace sluice::tools
