// One block header, then a line of text for each file.
#include "storage/journal_list.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "protocol/endian.h"
#include "storage/block_header.h"

namespace sluice::storage {
namespace {

constexpr std::size_t kBodyBytesAt = 48;
constexpr std::string_view kWhat = "list of journal files";

}  // namespace

std::string EncodeJournalList(const std::vector<JournalListEntry>& entries) {
  std::string bytes(kBlockHeaderBytes, '\0');
  for (const JournalListEntry& entry : entries) bytes += fmt::format("{} {}\n", entry.name, entry.bytes);
  const std::span<char> header(bytes.data(), kBlockHeaderBytes);
  const std::string_view body = std::string_view(bytes).substr(kBlockHeaderBytes);
  BeginBlockHeader(header, kJournalListMagic, kJournalListVersion);
  protocol::StoreLittleEndian<std::uint64_t>(&bytes[kBodyBytesAt], body.size());
  SealBlockHeader(header, body);
  return bytes;
}

Result<std::vector<JournalListEntry>> DecodeJournalList(std::string_view bytes) {
  Status status = CheckBlockMagic(bytes, kJournalListMagic, kJournalListVersion, kWhat);
  if (!status.ok()) return Error(std::move(status));
  std::string_view body = bytes.substr(kBlockHeaderBytes);
  if (protocol::LoadLittleEndian<std::uint64_t>(&bytes[kBodyBytesAt]) != body.size()) {
    return Error(Code::kCorruption, fmt::format("{}: cut short", kWhat));
  }
  if (status = CheckBlockChecksum(bytes, body, kWhat); !status.ok()) return Error(std::move(status));
  std::vector<JournalListEntry> entries;
  while (!body.empty()) {
    const std::string_view line = body.substr(0, body.find('\n'));
    const std::size_t space = line.find(' ');
    JournalListEntry entry{.name = std::string(line.substr(0, space))};
    const char* const end = line.data() + line.size();
    if (space == std::string_view::npos || line.size() == body.size() ||
        std::from_chars(line.data() + space + 1, end, entry.bytes).ptr != end) {
      return Error(Code::kCorruption, fmt::format("{}: a line of it makes no sense", kWhat));
    }
    entries.push_back(std::move(entry));
    body.remove_prefix(line.size() + 1);
  }
  return entries;
}

Result<std::optional<std::vector<JournalListEntry>>> JournalList::Load() {
  Result<std::unique_ptr<File>> file = env_.Open(path_, OpenMode::kReadWrite);
  if (!file && file.error().code() == Code::kNotFound) return std::nullopt;
  if (!file) return Error(std::move(file.error()));
  // As with every file: sync first, then forget the cache, so that a read tells what the disk holds.
  if (Status status = (*file)->Sync(); !status.ok()) return Error(std::move(status));
  if (Status status = (*file)->DropCache(); !status.ok()) return Error(std::move(status));
  Result<std::uint64_t> size = (*file)->Size();
  if (!size) return Error(std::move(size.error()));
  std::string bytes(*size, '\0');
  Result<std::size_t> got = (*file)->Read(0, bytes);
  if (!got) return Error(std::move(got.error()));
  bytes.resize(*got);
  Result<std::vector<JournalListEntry>> entries = DecodeJournalList(bytes);
  if (!entries) return std::nullopt;
  return std::move(*entries);
}

Status JournalList::Save(const std::vector<JournalListEntry>& entries) {
  const std::string fresh = path_ + ".new";
  (void)env_.Remove(fresh);  // of an attempt that failed: its flush must not be tried again
  Result<std::unique_ptr<File>> file = env_.Open(fresh, OpenMode::kCreateOrOpen);
  if (!file) return file.error();
  if (Status status = (*file)->Write(0, EncodeJournalList(entries)); !status.ok()) return status;
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  if (Status status = env_.Rename(fresh, path_); !status.ok()) return status;
  return env_.SyncDir(path_.substr(0, path_.rfind('/')));
}

}  // namespace sluice::storage
