// Operations that AWS lets a stream have only so often in any 24 hours, for applications that want to be held to it
// (kinesis.call_limits). The calls are kept with the stream, so that a restart forgets none.
//
// Thread-safe: what is counted is the stream that a change gives (stream_change.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/stream_change.h"

namespace sluice::broker::kinesis {

struct DailyLimit {
  std::string_view operation;  // "StartStreamEncryption"
  std::size_t calls_max;
  std::vector<std::int64_t> KinesisSettings::* calls_ms;  // where a stream keeps when it was called
};

/// Counts a call; the answer where there were as many as may be. Does nothing where calls are not limited.
Refusal CountDailyCall(const Context& context, const aws::Call& call, const DailyLimit& limit, StreamInfo& stream);

}  // namespace sluice::broker::kinesis
