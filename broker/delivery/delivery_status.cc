// What a delivery stream tells of itself to those who ask from other threads.
#include <algorithm>

#include "broker/delivery/delivery_stream.h"
#include "protocol/check.h"

namespace sluice::delivery {

std::string_view DeliveryModeName(DeliveryMode mode) {
  switch (mode) {
    case DeliveryMode::kActive:
      return "active";
    case DeliveryMode::kPaused:
      return "paused";
    case DeliveryMode::kFailing:
      return "failing";
    case DeliveryMode::kFenced:
      return "fenced";
  }
  return "unknown";
}

std::int64_t DeliveryStatus::FreshnessMs(std::int64_t now_ms) const {
  const std::int64_t oldest_ms = intent && intent->time_ms > 0 ? intent->time_ms : oldest_pending_ms;
  return oldest_ms == 0 ? 0 : std::max<std::int64_t>(0, now_ms - oldest_ms);
}

broker::DeliveryInfoPtr DeliveryStream::MakeInfo() const {
  const DeliveryIdentity& identity = state_.identity;
  const DeliveryConfig& config = terms_->config;
  return std::make_shared<const broker::DeliveryInfo>(
      broker::DeliveryInfo{.name = name_,
                           .source = identity.source,
                           .source_name = config.source_stream,
                           .direct_put = config.direct_put,
                           .version = identity.version,
                           .created_ms = identity.created_ms,
                           .changed_ms = identity.changed_ms,
                           .tags = broker::DeliveryTags(config.tags.begin(), config.tags.end()),
                           .config = identity.config_json,
                           .given = identity.given});
}

/// Takes over what Step knows for those who ask from other threads.
void DeliveryStream::PublishStatus() {
  const std::lock_guard lock(status_mutex_);
  if (info_ == nullptr || identity_ != state_.identity) info_ = MakeInfo();
  identity_ = state_.identity;
  config_ = std::shared_ptr<const DeliveryConfig>(terms_, &terms_->config);
  status_.checkpoint = state_.checkpoint;
  status_.intent = state_.intent;
  const std::optional<Schema> schema = UsedSchema();
  status_.schema_version = schema ? schema->version : 0;
  status_.pending_records = planner_.pending_records();
  status_.pending_bytes = planner_.pending_bytes();
  status_.lag_records = planner_.lag_records();
  status_.oldest_pending_ms = planner_.waiting_since_ms();
  status_.last_object = last_object_.value_or("");
  status_.counts = {host_.counts, builds_};
  if (status_.mode == DeliveryMode::kFenced) return;
  if (failures_in_a_row_ == 0) status_.last_error.clear();
  status_.mode = failures_in_a_row_ > 0 ? DeliveryMode::kFailing : DeliveryMode::kActive;
  if (state_.identity.paused) status_.mode = DeliveryMode::kPaused;
  if (status_.mode != DeliveryMode::kFailing) status_.retry_ms = 0;
}

DeliveryStatus DeliveryStream::status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

std::shared_ptr<const DeliveryConfig> DeliveryStream::config() const {
  const std::lock_guard lock(status_mutex_);
  SLUICE_CHECK(config_ != nullptr);
  return config_;
}

broker::DeliveryInfoPtr DeliveryStream::info() const {
  const std::lock_guard lock(status_mutex_);
  SLUICE_CHECK(info_ != nullptr);
  return info_;
}

DeliveryIdentity DeliveryStream::identity() const {
  const std::lock_guard lock(status_mutex_);
  return identity_;
}

}  // namespace sluice::delivery
