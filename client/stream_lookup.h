// Streams as the broker describes them: turned from protocol messages into the SDK's types, and looked up.
//
// Threads: functions on values; LookUp blocks, FindOutWhatBecame does not and calls back on the client's own thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/connection.h"
#include "protocol/hash_key.h"
#include "sluice/types.h"

namespace sluice::native {
class LostRange;
class Retention;
class StreamInfo;
}  // namespace sluice::native

namespace sluice::client {

LostRange LostRangeOf(const native::LostRange& range);
StreamDescription DescriptionOf(const native::StreamInfo& info);
void SetRetention(const Retention& from, native::Retention& to);

/// The ranges of the stream's shards.
Result<protocol::ShardMap> ShardMapOf(const StreamDescription& description);

Result<StreamDescription> LookUp(Connection& connection, std::string_view name);

/// After the broker said that stream `id` is not there: `done` gets kNotFound with what has become of the name
/// (deleted, or created anew).
void FindOutWhatBecame(Connection& connection, const std::string& name, std::uint32_t id,
                       std::move_only_function<void(Status)> done);

}  // namespace sluice::client
