// Reads records from the files that there are.
#include "tools/agent/tailer.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace sluice::tools {
namespace {

constexpr std::uint64_t kReadAheadBytes = 64u << 10;  // beyond the largest record
constexpr std::int64_t kEndedMs = 2'000;              // a file without a name, and without news for so long, has ended
constexpr std::int64_t kEndedNamedMs = 30'000;        // one of another name; its program may not know of that yet

}  // namespace

std::vector<FilePosition> Tailer::Positions() const {
  std::vector<FilePosition> positions;
  for (const auto& file : files_) positions.push_back(file->position());
  return positions;
}

std::vector<std::string> Tailer::TakeNotices() { return std::exchange(notices_, {}); }

// What was rotated away comes first, then by the time of the last change: so that the lines of a log keep their order.
void Tailer::Collect(Chunk& chunk, Times now) {
  std::vector<std::tuple<bool, std::int64_t, std::size_t>> order;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    TrackedFile& file = *files_[i];
    if (!file.is_open() || file.position().held) continue;
    file.Look();
    order.emplace_back(!file.superseded && !file.adopted, file.modified_ns(), i);
  }
  std::ranges::sort(order);
  for (const auto& [current, modified_ns, index] : order) {
    if (chunk.full()) return;
    TrackedFile& file = *files_[index];
    const std::uint64_t before = file.position().offset;
    const bool truncated = !ReadFile(file, chunk, now);
    if (truncated) return;  // its old lines are in another file, and come before all others the next time
    if (file.position().offset != before) MoveCopies(file);
  }
}

/// False where the file was truncated: nothing of it has been read then.
bool Tailer::ReadFile(TrackedFile& file, Chunk& chunk, Times now) {
  const bool news = file.size() != file.looked_size || file.modified_ns() != file.looked_modified_ns;
  NoteChange(file, now);
  const std::int64_t rested_ms = now.monotonic_ms - file.changed_ms;
  const bool no_more = rested_ms >= static_cast<std::int64_t>(flow_.buffer_age_ms);
  const bool ended = file.superseded && rested_ms >= (file.removed() ? kEndedMs : kEndedNamedMs);
  if (!news && !((no_more || ended) && file.size() > file.position().offset)) return true;
  if (!file.Unchanged()) {
    Truncated(file);
    return false;
  }
  const std::uint64_t size = file.size();
  const std::int64_t modified_ns = file.modified_ns();
  const Ending ending = ended ? Ending::kEnded : no_more ? Ending::kRests : Ending::kGrows;
  while (TakePiece(file, chunk, now, ending)) {
    if (chunk.full()) return true;
  }
  file.looked_size = size;
  file.looked_modified_ns = modified_ns;
  return true;
}

/// Also while a long file is read piece by piece: its last record may be in the making.
void Tailer::NoteChange(TrackedFile& file, Times now) {
  if (file.size() == file.noted_size && file.modified_ns() == file.noted_modified_ns) return;
  if (file.noted_size != TrackedFile::kNever) file.changed_ms = now.monotonic_ms;
  file.noted_size = file.size();
  file.noted_modified_ns = file.modified_ns();
}

void Tailer::Truncated(TrackedFile& file) {
  const bool adopted = ReleaseCopies(file) || FindCopy(file);
  notices_.push_back(fmt::format("{} was truncated: it is read from its start{}", file.position().path,
                                 adopted ? ", and what was not read of it before from its copy" : ""));
  file.Restart(flow_.skip_header_lines);
}

/// Takes what is complete in the next piece of the file. False where nothing is.
bool Tailer::TakePiece(TrackedFile& file, Chunk& chunk, Times now, Ending ending) {
  const std::size_t bytes = flow_.record_bytes_max() + kReadAheadBytes;
  const std::string_view piece = file.Read(file.position().offset, bytes, buffer_);
  const bool last_piece = piece.size() < bytes;
  const bool no_more = last_piece && ending != Ending::kGrows;  // else a record's other lines are in the next one
  std::string_view text = piece;
  if (last_piece && ending == Ending::kEnded && !piece.empty() && !piece.ends_with('\n')) {
    buffer_[piece.size()] = '\n';  // nobody will write it
    text = std::string_view(buffer_).substr(0, piece.size() + 1);
  }
  std::size_t used = 0;
  while (!chunk.full() && used < text.size()) {
    const std::string_view rest = text.substr(used);
    if (file.position().header_lines_left > 0 || file.position().cutting) {
      const std::size_t passed = PassOver(file, rest);
      if (passed == 0) break;
      chunk.Pass(passed);
      used += passed;
    } else if (const auto end = flow_.splitter->RecordEnd(rest, no_more)) {
      chunk.Add(rest.substr(0, *end), now);
      used += *end;
    } else if (rest.size() > flow_.record_bytes_max()) {
      chunk.Add(rest.substr(0, flow_.record_bytes_max() + 1), now);  // one byte too many, so that it is cut
      used += flow_.record_bytes_max() + 1;
      file.position().cutting = true;
    } else {
      break;
    }
  }
  if (used > 0) file.Advance(piece.substr(0, used));
  return used > 0;
}

/// Bytes at the front of `text` that are in no record: a line of the header, or the rest of what was cut.
std::size_t Tailer::PassOver(TrackedFile& file, std::string_view text) {
  const std::size_t newline = text.find('\n');
  if (newline == std::string_view::npos)
    return file.position().cutting || text.size() > flow_.record_bytes_max() ? text.size() : 0;
  if (file.position().cutting) {
    file.position().cutting = false;
  } else {
    --file.position().header_lines_left;
  }
  return newline + 1;
}

}  // namespace sluice::tools
