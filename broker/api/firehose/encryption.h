// Encryption of the records of a direct-put delivery stream: that of its hidden stream (broker/encryption/keyring.h).
// All that is told of it stands with that stream; a key that the customer names is kept, and asked for by that name.
#pragma once

#include <optional>

#include "broker/api/firehose/context.h"
#include "protocol/aws/document.h"
#include "protocol/aws/error.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::firehose {

/// What is wrong with a DeliveryStreamEncryptionConfigurationInput that has passed its checks.
std::optional<protocol::aws::ApiError> CheckEncryption(std::optional<protocol::aws::Value> input);
/// Encrypts new records from now on, with a new data key. Absent `input`: with a key of the broker's. Blocks.
std::optional<protocol::aws::ApiError> StartEncryption(const Context& context, const DeliveryInfo& info,
                                                       std::optional<protocol::aws::Value> input);
/// The member DeliveryStreamEncryptionConfiguration of a description.
void WriteEncryption(const Context& context, const DeliveryInfo& info, protocol::aws::Writer& writer);

}  // namespace sluice::broker::firehose
