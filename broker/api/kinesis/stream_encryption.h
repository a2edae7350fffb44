// What StartStreamEncryption and StopStreamEncryption share: their input, and the change, in force with the answer.
//
// Threads: blocks on the metadata store and the key provider; on the blocking pool.
#pragma once

#include <cstddef>
#include <string>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/daily_calls.h"
#include "broker/api/kinesis/stream_change.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& EncryptionInputShape();

inline constexpr std::size_t kEncryptionCallsMax = 25;  // of each operation, in 24 hours

/// Runs `change` on the stream of the call and brings it into force; counted in the transaction of the change.
ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call, const DailyLimit& limit,
                                        const StreamChange& change);

}  // namespace sluice::broker::kinesis
