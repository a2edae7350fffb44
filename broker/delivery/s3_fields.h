// Fields that every S3 destination of a delivery stream's configuration has, wherever it stands. Used by the readers of
// configurations only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/delivery/config_reader.h"

namespace sluice::delivery {

inline constexpr std::int64_t kSizeMbMax = 4096;             // Firehose: 128
inline constexpr std::int64_t kIntervalSecondsMax = 86'400;  // Firehose: 900

/// RoleARN and BucketARN. Both are left as they are where the map does not have them.
void ReadBucket(MapReader& map, std::string& role_arn, std::string& bucket);

/// `text` of `key`: a slash in front would make an empty first segment, which no directory can have.
std::string WithoutLeadingSlash(MapReader& map, std::string_view key, std::string text);

/// EncryptionConfiguration and CloudWatchLoggingOptions, with a warning where they ask for something.
void ReadPassedOver(MapReader& map);

}  // namespace sluice::delivery
