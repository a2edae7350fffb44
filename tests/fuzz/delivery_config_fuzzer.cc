// Delivery streams' configuration files, and the small languages in them: Hive types, prefix expressions, timestamp
// formats; and zone files. What is accepted reads back from its canonical form.
#include <string>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/prefix.h"
#include "broker/delivery/schema.h"
#include "broker/delivery/time_zone.h"
#include "broker/delivery/timestamp_format.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::delivery {
namespace {

void CheckConfig(std::string_view document) {
  const auto parsed = ParseDeliveryConfig(document, "input");
  if (!parsed) return;
  const std::string canonical = DeliveryConfigToJson(parsed->config);
  const auto again = ParseDeliveryConfig(canonical, "canonical");
  SLUICE_CHECK(again.has_value());
  SLUICE_CHECK(DeliveryConfigToJson(again->config) == canonical);
}

void CheckPrefix(std::string_view text) {
  for (const PrefixKind kind : {PrefixKind::kObjects, PrefixKind::kErrors}) {
    if (const auto prefix = Prefix::Parse(text, kind)) {
      static const TimeZone utc = TimeZone::Utc();
      const PrefixContext context{1'700'000'000'000, &utc, 7, "format-conversion-failed"};
      const std::string key = SafeKey(prefix->Evaluate(context) + "name");
      SLUICE_CHECK(key.find("//") == std::string::npos);
      SLUICE_CHECK(("/" + key + "/").find("/../") == std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sluice::delivery

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::delivery;
  const std::string_view input = sluice::fuzz::Input(data, size);
  CheckConfig(input);
  CheckPrefix(input);
  if (const auto zone = TimeZone::FromTzif("Any/Zone", input)) {
    for (const std::int64_t unix_s :
         {std::int64_t{0}, std::int64_t{-5'000'000'000}, std::int64_t{1'700'000'000}, std::int64_t{1} << 36}) {
      (void)zone->At(unix_s);
    }
  }
  if (const auto type = ParseHiveType(input)) SLUICE_CHECK(ParseHiveType(ToHiveType(*type)) == *type);
  if (const auto format = TimestampFormat::Compile(input)) (void)format->Parse("2023-11-14T22:13:20.000Z");
  return 0;
}
