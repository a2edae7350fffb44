// What becomes of a stored decision while it is carried out: DeliveryStream's part of it.
#include <fmt/format.h>

#include "broker/delivery/delivery_stream.h"

namespace sluice::delivery {

/// What is known of the delivery now.
Status DeliveryStream::ChangeIntent(const std::function<void(Intent&)>& change) {
  Intent intent = *state_.intent;
  change(intent);
  if (intent == *state_.intent) return Status();
  state_known_ = false;  // until the transaction is known to be durable
  if (Status status = store_.ReplaceIntent(*state_.intent, intent); !status.ok())
    return status.WithContext("storing the intent again");
  state_.intent = intent;
  state_known_ = true;
  return Status();
}

/// Records of the delivery are lost and were given up: it is decided anew, without them. Not where an object with them
/// is in the lake already, which would hold the others a second time.
Status DeliveryStream::TakeBack(const Intent& intent, const DeliveryTerms& terms, const Status& why) {
  std::vector<std::string> keys = intent.other_keys;
  if (!intent.data_key.empty()) keys.push_back(intent.data_key);
  for (const std::string_view type : ErrorTypesOf(terms.config)) keys.push_back(ErrorKey(terms, intent, type));
  if (Status status = CheckNotWritten(terms.config.bucket, keys, why); !status.ok()) return status;
  if (terms.config.backup) {
    if (Status status = CheckNotWritten(terms.config.backup->bucket, intent.backup_keys, why); !status.ok())
      return status;
  }
  state_known_ = false;
  if (Status status = store_.DropIntent(intent); !status.ok()) return status.WithContext("taking the intent back");
  if (!intent.replays.empty()) replay_.End(why.message());
  return Reload();
}

Status DeliveryStream::CheckNotWritten(const std::string& bucket, const std::vector<std::string>& keys,
                                       const Status& why) {
  for (const std::string& key : keys) {
    const auto size = parts_.objects.Size(bucket, key);
    if (!size) return size.error();
    if (!*size) continue;
    return Status(why.code(), fmt::format("{}; object '{}' was written before, with these records: move it out of the "
                                          "bucket, and the others are delivered again without them",
                                          why.message(), key));
  }
  return Status();
}

}  // namespace sluice::delivery
