// The keyring's answers in the API's words.
#include "broker/api/firehose/encryption.h"

#include <string_view>

#include "broker/api/firehose/errors.h"
#include "broker/log.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Value;

namespace {

constexpr std::string_view kOwned = "AWS_OWNED_CMK";
constexpr std::string_view kManaged = "CUSTOMER_MANAGED_CMK";

/// Empty: none is named.
std::string_view KeyArnOf(std::optional<Value> input) {
  const auto arn = input ? input->Find("KeyARN") : std::nullopt;
  return arn ? arn->text() : std::string_view();
}

}  // namespace

std::optional<ApiError> CheckEncryption(std::optional<Value> input) {
  const bool managed = input && input->Find("KeyType")->text() == kManaged;
  if (managed == !KeyArnOf(input).empty()) return std::nullopt;
  return InvalidArgument(managed ? "KeyARN is required for KeyType CUSTOMER_MANAGED_CMK."
                                 : "KeyARN is only applicable for KeyType CUSTOMER_MANAGED_CMK.");
}

std::optional<ApiError> StartEncryption(const Context& context, const DeliveryInfo& info, std::optional<Value> input) {
  const auto changed = context.parts.keyring.Encrypt(info.source_name, KeyArnOf(input));
  if (!changed) return KeyFailure(changed.error());
  log::Info("encryption changed", {{"delivery_stream", info.name}, {"encrypted", true}});
  return std::nullopt;
}

void WriteEncryption(const Context& context, const DeliveryInfo& info, protocol::aws::Writer& writer) {
  const auto stream = context.parts.catalog.Find(info.source);
  const bool on = info.direct_put && stream && (*stream)->encryption.on;
  writer.Name("DeliveryStreamEncryptionConfiguration").BeginMap();
  if (on) {
    const std::string& key = (*stream)->encryption.key_id;
    if (!key.empty()) writer.Name("KeyARN").Text(key);
    writer.Name("KeyType").Text(key.empty() ? kOwned : kManaged);
  }
  writer.Name("Status").Text(on ? "ENABLED" : "DISABLED");
  writer.EndMap();
}

}  // namespace sluice::broker::firehose
