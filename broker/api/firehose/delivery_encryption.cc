// The key that was asked for is kept with the hidden stream: the key's ARN, or nothing where AWS would own it.
#include "broker/api/firehose/delivery_encryption.h"

#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "broker/log.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Value;

namespace {

constexpr std::string_view kOwned = "AWS_OWNED_CMK";
constexpr std::string_view kManaged = "CUSTOMER_MANAGED_CMK";

/// Empty where the hidden stream is not there any more.
EncryptionSettings SettingsOf(const Context& context, const DeliveryInfo& info) {
  const auto stream = context.parts.catalog.Find(info.source);
  return stream ? (*stream)->encryption : EncryptionSettings();
}

std::string_view KeyArnOf(Value input) {
  const auto arn = input.Find("KeyARN");
  return arn ? arn->text() : std::string_view();
}

}  // namespace

ApiError KeyFailure(const Status& why) {
  if (why.code() == Code::kFailedPrecondition || why.code() == Code::kNotFound) {
    return {"InvalidKMSResourceException", why.message()};
  }
  return {"InternalFailure", why.message(), 500};
}

ApiResult<DeliveryInfoPtr> FindToEncrypt(const Context& context, const aws::Call& call) {
  ApiResult<DeliveryInfoPtr> info = FindForChange(context, call);
  if (!info || (*info)->direct_put) return info;
  return std::unexpected(InvalidArgument(
      "Server-side encryption is only applicable for DirectPut stream type; encrypt the source stream."));
}

std::optional<ApiError> CheckEncryption(Value input) {
  const bool managed = input.Find("KeyType")->text() == kManaged;
  if (managed == !KeyArnOf(input).empty()) return std::nullopt;
  return InvalidArgument(managed ? "KeyARN is required for KeyType CUSTOMER_MANAGED_CMK."
                                 : "KeyARN is only applicable for KeyType CUSTOMER_MANAGED_CMK.");
}

std::optional<ApiError> Encrypt(const Context& context, const DeliveryInfo& info, std::optional<Value> input) {
  const auto encrypted = context.parts.keyring.Encrypt(info.source_name, input ? KeyArnOf(*input) : std::string_view());
  if (!encrypted) return KeyFailure(encrypted.error());
  log::Info("encryption changed", {{"delivery_stream", info.name}, {"encrypted", true}});
  return std::nullopt;
}

bool IsEncrypted(const Context& context, const DeliveryInfo& info) {
  return info.direct_put && SettingsOf(context, info).on;
}

void WriteEncryption(const Context& context, const DeliveryInfo& info, protocol::aws::Writer& writer) {
  const EncryptionSettings settings = info.direct_put ? SettingsOf(context, info) : EncryptionSettings();
  writer.Name("DeliveryStreamEncryptionConfiguration").BeginMap();
  writer.Name("Status").Text(settings.on ? "ENABLED" : "DISABLED");
  if (settings.on) {
    writer.Name("KeyType").Text(settings.key_id.empty() ? kOwned : kManaged);
    if (!settings.key_id.empty()) writer.Name("KeyARN").Text(settings.key_id);
  }
  writer.EndMap();
}

}  // namespace sluice::broker::firehose
