// Changing what a stream keeps for this API, by one conditional change of the catalog: what is checked is what is
// changed, whoever else changes the stream at that time.
//
//     return NoBody(ChangeStream(context, call, FindStream(context, call), [&](StreamInfo& stream) -> Refusal {
//       stream.kinesis.record_kib_max = kib;
//       return std::nullopt;
//     }));
//
// Threads: blocks on the metadata store; on the blocking pool.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "broker/api/kinesis/context.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

/// Why a change cannot be: the call's answer. Nothing has changed then.
using Refusal = std::optional<protocol::aws::ApiError>;
/// Sets retention and Kinesis settings of the stream as it is.
using StreamChange = std::function<Refusal(StreamInfo&)>;

/// The stream as it is then; the error of `found` where there is none. A stream that is not ACTIVE is refused, and a
/// change makes it UPDATING, where streams pass states.
ApiResult<StreamPtr> ChangeStream(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const StreamChange& change);

/// The same for what is no part of a stream's description (tags, policy): in whatever state, and at once.
ApiResult<StreamPtr> ChangeAtOnce(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const StreamChange& change);

/// The answer of operations without output.
ApiResult<std::string> NoBody(const ApiResult<StreamPtr>& changed);

}  // namespace sluice::broker::kinesis
