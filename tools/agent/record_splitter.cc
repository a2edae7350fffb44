// Line by line; a line without its newline is never looked at.
#include "tools/agent/record_splitter.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "tools/agent/log_to_json.h"

namespace sluice::tools {

RecordSplitter::RecordSplitter(std::unique_ptr<const re2::RE2> pattern) : pattern_(std::move(pattern)) {}
RecordSplitter::RecordSplitter(RecordSplitter&&) noexcept = default;
RecordSplitter& RecordSplitter::operator=(RecordSplitter&&) noexcept = default;
RecordSplitter::~RecordSplitter() = default;

Result<RecordSplitter> RecordSplitter::New(std::string_view start_pattern) {
  if (start_pattern.empty()) return RecordSplitter(nullptr);
  RE2::Options quiet;
  quiet.set_log_errors(false);
  auto pattern = std::make_unique<const RE2>(PatternForRe2(start_pattern), quiet);
  if (!pattern->ok()) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("it is no pattern of RE2, which has neither looking ahead nor back: {}", pattern->error()));
  }
  return RecordSplitter(std::move(pattern));
}

std::optional<std::size_t> RecordSplitter::RecordEnd(std::string_view text, bool no_more) const {
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return std::nullopt;
  if (pattern_ == nullptr) return first + 1;
  // The first line belongs to the record whatever it is.
  std::size_t begin = first + 1;
  for (;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    const re2::StringPiece line(text.data() + begin, end - begin);
    if (pattern_->Match(line, 0, line.size(), RE2::ANCHOR_START, nullptr, 0)) return begin;
    begin = end + 1;
  }
  if (no_more) return begin;
  return std::nullopt;
}

}  // namespace sluice::tools
