// Members by name; AWS's partitions.
#include "broker/api/aws/arguments.h"

#include <fmt/format.h>

namespace sluice::broker::aws {
namespace {

/// AWS's partitions: China and the US government have their own.
std::string_view PartitionOf(std::string_view region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

}  // namespace

std::string_view TextOf(const Call& call, std::string_view member) {
  const auto value = call.input().Find(member);
  return value ? value->text() : std::string_view();
}

bool BooleanOf(const Call& call, std::string_view member) {
  const auto value = call.input().Find(member);
  return value && value->boolean();
}

std::optional<std::int64_t> IntegerOf(const Call& call, std::string_view member) {
  const auto value = call.input().Find(member);
  if (!value) return std::nullopt;
  return protocol::aws::ToInteger(*value, INT32_MAX);
}

std::string Arn(const Caller& caller, std::string_view service, std::string_view resource) {
  return fmt::format("arn:{}:{}:{}:{}:{}", PartitionOf(caller.region), service, caller.region, caller.account,
                     resource);
}

}  // namespace sluice::broker::aws
