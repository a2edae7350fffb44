// What StartStreamEncryption and StopStreamEncryption share: their input, and the change, in force with the answer.
//
// Threads: blocks on the metadata store and the key provider; on the blocking pool.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/stream_change.h"
#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& EncryptionInputShape();

/// One of the two operations, and where a stream keeps when it was called.
struct EncryptionOperation {
  std::string_view name;  // "StartStreamEncryption"
  std::vector<std::int64_t> KinesisSettings::* calls_ms;
};

/// Runs `change` on the stream of the call and brings it into force; 25 times in any 24 hours where calls are limited,
/// counted with the stream and in the transaction of the change.
ApiResult<std::string> ChangeEncryption(const Context& context, const aws::Call& call,
                                        const EncryptionOperation& operation, const StreamChange& change);

}  // namespace sluice::broker::kinesis
