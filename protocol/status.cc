// Names of the status codes, and the end of a failed CHECK.
#include "sluice/status.h"

#include <cstdio>
#include <cstdlib>

#include "protocol/check.h"
#include "protocol/ids.h"

namespace sluice {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kNotFound: return "not found";
    case Code::kAlreadyExists: return "already exists";
    case Code::kOutOfRange: return "out of range";
    case Code::kFailedPrecondition: return "failed precondition";
    case Code::kFenced: return "fenced";
    case Code::kResourceExhausted: return "resource exhausted";
    case Code::kUnavailable: return "unavailable";
    case Code::kTimedOut: return "timed out";
    case Code::kCorruption: return "corruption";
    case Code::kIoError: return "i/o error";
    case Code::kUnimplemented: return "unimplemented";
    case Code::kInternal: return "internal error";
    case Code::kShardClosed: return "shard closed";
  }
  return "unknown code";
}

std::string Status::ToString() const {
  std::string text(CodeName(code_));
  if (!message_.empty()) text.append(": ").append(message_);
  return text;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  return Status(code_, std::string(context) + ": " + message_);
}

void CheckFailed(std::string_view file, int line, std::string_view expression) {
  std::fprintf(stderr, "sluice: bug: %.*s:%d: %.*s does not hold\n", static_cast<int>(file.size()), file.data(), line,
               static_cast<int>(expression.size()), expression.data());
  std::abort();
}

std::string ToString(ShardId id) { return std::to_string(id.stream.value) + "/" + std::to_string(id.index.value); }

}  // namespace sluice
