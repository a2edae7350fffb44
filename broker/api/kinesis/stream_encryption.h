// What StartStreamEncryption and StopStreamEncryption share: their input, and the change, in force with the answer.
//
// Threads: blocks on the metadata store and the key provider; on the blocking pool.
#pragma once

#include <string>
#include <string_view>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/stream_change.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& EncryptionInputShape();

/// Runs `change` on the stream of the call and brings it into force, 25 times a day where calls are limited.
/// `operation`: "StartStreamEncryption".
ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call, std::string_view operation,
                                        const StreamChange& change);

}  // namespace sluice::broker::kinesis
