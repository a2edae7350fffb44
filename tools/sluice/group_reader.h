// Reads a stream as a member of a consumer group, for `sluice get --group`.
//
// Threads: the main thread only.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/types.h"
#include "tools/sluice/context.h"
#include "tools/sluice/record_printer.h"

namespace sluice::tools {

struct GroupRead {
  std::string stream;
  std::string group;
  Position start;           // of a group that is not there yet
  std::uint64_t limit = 0;  // 0: none
  bool follow = false;
  bool meta = false;
  RecordFormat format = RecordFormat::kText;
};

/// Prints what the member gets, and commits what was printed: until the group has processed all that the stream had at
/// the time of the call, or with `follow` until an interrupt. False where it failed, with the exit code set.
bool ReadAsMember(Context& context, const GroupRead& read);

}  // namespace sluice::tools
