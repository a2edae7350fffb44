// Bucket, role, and what is taken without meaning anything here.
#include "broker/delivery/s3_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace sluice::delivery {
namespace {

bool IsBucketName(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.find_first_not_of('.') == name.npos) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; });
}

}  // namespace

void ReadBucket(MapReader& map, std::string& role_arn, std::string& bucket) {
  if (std::optional<std::string> role = map.String("RoleARN")) {
    role_arn = *role;
  } else {
    map.report().Warn(map.line(), map.PathOf("RoleARN"), "is missing; none is needed here");
  }
  const std::optional<std::string> arn = map.String("BucketARN");
  if (!arn) {
    if (map.LineOf("BucketARN") == map.line()) map.report().Problem(map.line(), map.PathOf("BucketARN"), "is missing");
    return;
  }
  const int line = map.LineOf("BucketARN");
  const std::size_t marker = arn->find(":s3:::");
  bucket = arn->starts_with("arn:") && marker != arn->npos ? arn->substr(marker + 6) : *arn;
  if (!IsBucketName(bucket)) {
    map.report().Problem(line, map.PathOf("BucketARN"),
                         fmt::format("'{}' names no bucket; write arn:aws:s3:::my-bucket", *arn));
  } else if (bucket == *arn) {
    map.report().Warn(line, map.PathOf("BucketARN"), fmt::format("taken as arn:aws:s3:::{}", bucket));
  }
}

std::string WithoutLeadingSlash(MapReader& map, std::string_view key, std::string text) {
  const std::size_t first = std::min(text.find_first_not_of('/'), text.size());
  if (first > 0) map.report().Warn(map.LineOf(key), map.PathOf(key), "taken without the '/' in front");
  return text.substr(first);
}

void ReadPassedOver(MapReader& map) {
  if (std::optional<MapReader> encryption = map.Map("EncryptionConfiguration")) {
    encryption->Ignore({"NoEncryptionConfig"});
    if (encryption->Take("KMSEncryptionConfig") != nullptr) {
      encryption->report().Warn(encryption->LineOf("KMSEncryptionConfig"), encryption->PathOf("KMSEncryptionConfig"),
                                "is passed over: Sluice encrypts no objects; have the file system or the bucket do it");
    }
    encryption->Finish();
  }
  if (std::optional<MapReader> logging = map.Map("CloudWatchLoggingOptions")) {
    if (logging->Bool("Enabled").value_or(false)) {
      logging->report().Warn(logging->line(), logging->path(),
                             "errors go to the broker's log and to 'sluice delivery describe'");
    }
    logging->Ignore({"LogGroupName", "LogStreamName"});
    logging->Finish();
  }
}

}  // namespace sluice::delivery
