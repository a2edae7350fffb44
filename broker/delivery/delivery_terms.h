// A delivery stream's configuration with what was read out of its texts, and the keys that the objects of a delivery
// get by it.
//
// Values only; safe to share between threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/delivery_state.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/record_spill.h"
#include "broker/delivery/time_zone.h"

namespace sluice::delivery {

struct DeliveryTerms {
  DeliveryConfig config;
  TimeZone zone;
  Prefix prefix;
  Prefix error_prefix;
  std::optional<Prefix> backup_prefix;         // where there is a backup
  std::optional<Prefix> manifest_prefix = {};  // where there is a cluster
};

/// The key of a delivery's only data object, decided with it.
std::string DataKey(const DeliveryTerms& terms, const Intent& intent);

/// The key of one object of dynamic partitioning: of the partition with these values, the part of this number, and the
/// append time of its oldest record.
std::string PartitionObjectKey(const DeliveryTerms& terms, const Intent& intent, const SpillName& name,
                               std::int64_t oldest_ms);

/// The prefix of manifests beside objects of `prefix`, as written.
std::string ManifestPrefix(std::string_view prefix);
/// The key of the manifest of a delivery to a cluster.
std::string ManifestKey(const DeliveryTerms& terms, const Intent& intent);
/// The "error type" of a manifest whose load was given up.
inline constexpr std::string_view kSkippedManifests = "errors/manifests";

/// The key of the error object for records of one error type. Intents hold the one of failed conversions.
std::string ErrorKey(const DeliveryTerms& terms, const Intent& intent, std::string_view error_type);

/// The id of a request of a delivery to an endpoint, by its number: a UUID.
std::string RequestId(const Intent& intent, std::uint64_t number);

/// The keys of the backup of a delivery with so many bytes of records: one for each object of the size that is wanted.
/// Empty where there is no backup, or nothing to back up.
std::vector<std::string> BackupKeys(const DeliveryTerms& terms, const Intent& intent, std::uint64_t bytes);

/// Of the error objects that a delivery may have.
std::vector<std::string_view> ErrorTypesOf(const DeliveryConfig& config);

}  // namespace sluice::delivery
