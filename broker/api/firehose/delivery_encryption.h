// Encryption of the records that wait in a direct-put delivery stream: that of its hidden stream.
//
// Threads: IsEncrypted and WriteEncryption any; Encrypt blocks on the metadata store and the key provider.
#pragma once

#include <optional>

#include "broker/api/firehose/context.h"
#include "protocol/aws/document.h"
#include "protocol/aws/error.h"
#include "protocol/aws/writer.h"
#include "sluice/status.h"

namespace sluice::broker::firehose {

/// The delivery stream of a call that encrypts it or no longer does: an ACTIVE one of direct put.
ApiResult<DeliveryInfoPtr> FindToEncrypt(const Context& context, const aws::Call& call);

/// Encrypts what is put from now on with a new data key. `input` is a DeliveryStreamEncryptionConfigurationInput; none:
/// the broker's current master key.
std::optional<protocol::aws::ApiError> Encrypt(const Context& context, const DeliveryInfo& info,
                                               std::optional<protocol::aws::Value> input);

/// InvalidArgumentException where a DeliveryStreamEncryptionConfigurationInput contradicts itself.
std::optional<protocol::aws::ApiError> CheckEncryption(protocol::aws::Value input);

/// InvalidKMSResourceException, or what else a failure of the keyring means to a caller.
protocol::aws::ApiError KeyFailure(const Status& why);

/// Whether what is put now is stored encrypted.
bool IsEncrypted(const Context& context, const DeliveryInfo& info);

/// The member DeliveryStreamEncryptionConfiguration of a description.
void WriteEncryption(const Context& context, const DeliveryInfo& info, protocol::aws::Writer& writer);

}  // namespace sluice::broker::firehose
