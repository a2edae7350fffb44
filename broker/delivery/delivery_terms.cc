// Keys are hashes of what was decided: a delivery that is done again writes the same ones.
#include "broker/delivery/delivery_terms.h"

#include <fmt/format.h>
#include <xxhash.h>

#include "broker/delivery/endpoints/endpoint_registry.h"
#include "broker/delivery/error_record.h"

namespace sluice::delivery {
namespace {

/// Tells a delivery from all others.
std::string IdentityOf(const Intent& intent) {
  std::string identity = fmt::format("{}|{}", intent.uid, intent.seq);
  for (const SourceRange& range : intent.ranges) {
    identity += fmt::format("|{}:{}-{}", range.shard.value, range.first.value, range.last.value);
  }
  for (const ReplayedLines& replay : intent.replays) {
    identity += fmt::format("|{}:{}-{}", replay.key, replay.lines.front().first, replay.lines.back().last);
  }
  return identity;
}

PrefixContext ContextOf(const DeliveryTerms& terms, const Intent& intent, std::string_view identity) {
  return {intent.time_ms, &terms.zone, XXH3_64bits(identity.data(), identity.size()), ""};
}

}  // namespace

std::string DataKey(const DeliveryTerms& terms, const Intent& intent) {
  const std::string identity = IdentityOf(intent);
  const PrefixContext context = ContextOf(terms, intent, identity);
  return SafeKey(terms.prefix.Evaluate(context) + ObjectName(terms.config.name, intent.config_version, context,
                                                             HashedUuid(identity + "|data"),
                                                             ObjectExtension(terms.config)));
}

std::string PartitionObjectKey(const DeliveryTerms& terms, const Intent& intent, const SpillName& name,
                               std::int64_t oldest_ms) {
  std::string identity = IdentityOf(intent);
  for (const std::string& value : name.values) identity += fmt::format("|{}:{}", value.size(), value);
  identity += fmt::format("|{}", name.part);
  PrefixContext context = ContextOf(terms, intent, identity);
  context.time_ms = oldest_ms;
  const std::vector<std::string_view> values(name.values.begin(), name.values.end());
  context.partition_values = values;
  return SafeKey(terms.prefix.Evaluate(context) + ObjectName(terms.config.name, intent.config_version, context,
                                                             HashedUuid(identity + "|data"),
                                                             ObjectExtension(terms.config)));
}

std::string ManifestPrefix(std::string_view prefix) { return fmt::format("{}manifests/", prefix); }

std::string ManifestKey(const DeliveryTerms& terms, const Intent& intent) {
  const std::string identity = IdentityOf(intent);
  const PrefixContext context = ContextOf(terms, intent, identity);
  return SafeKey(terms.manifest_prefix->Evaluate(context) +
                 ObjectName(terms.config.name, intent.config_version, context, HashedUuid(identity + "|manifest"), ""));
}

std::string ErrorKey(const DeliveryTerms& terms, const Intent& intent, std::string_view error_type) {
  const bool conversion = error_type == kFormatConversionFailed;
  if (conversion && !intent.error_key.empty()) return intent.error_key;
  const std::string identity = IdentityOf(intent);
  PrefixContext context = ContextOf(terms, intent, identity);
  context.error_output_type = error_type;
  const std::string uuid = HashedUuid(identity + "|errors" + (conversion ? "" : fmt::format("|{}", error_type)));
  return SafeKey(terms.error_prefix.Evaluate(context) +
                 ObjectName(terms.config.name, intent.config_version, context, uuid, ""));
}

std::string RequestId(const Intent& intent, std::uint64_t number) {
  return HashedUuid(fmt::format("{}|request|{}", IdentityOf(intent), number));
}

std::vector<std::string> BackupKeys(const DeliveryTerms& terms, const Intent& intent, std::uint64_t bytes) {
  if (!terms.config.backup || intent.ranges.empty()) return {};
  const std::string identity = IdentityOf(intent) + "|backup";
  const PrefixContext context = ContextOf(terms, intent, identity);
  const std::uint64_t object_bytes = terms.config.backup->size_mb << 20;
  std::vector<std::string> keys;
  for (std::uint64_t part = 0; part == 0 || part * object_bytes < bytes; ++part) {
    keys.push_back(SafeKey(terms.backup_prefix->Evaluate(context) +
                           ObjectName(terms.config.name, intent.config_version, context,
                                      HashedUuid(fmt::format("{}|{}", identity, part)),
                                      RawCompressionExtension(terms.config.backup->compression))));
  }
  return keys;
}

std::vector<std::string_view> ErrorTypesOf(const DeliveryConfig& config) {
  std::vector<std::string_view> types(kErrorTypes.begin(), kErrorTypes.end());
  if (config.endpoint.exists()) types.push_back(FindEndpointKind(config.endpoint.type)->error_type);
  return types;
}

}  // namespace sluice::delivery
