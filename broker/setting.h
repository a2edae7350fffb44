// One setting: its key, where its value goes, what it may be. The configuration is a list of these over a Config.
// Values only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/config.h"
#include "sluice/status.h"

namespace sluice::broker {

/// A value as a source gave it. Environment and command line give text only.
using SettingValue = std::variant<std::string, std::int64_t, bool>;

struct ByteSize {
  std::uint64_t* value;
};
struct DurationMs {
  std::int64_t* value;
};
struct Choice {
  std::string* value;
  std::vector<std::string> choices;
};
struct IpAddress {
  std::string* value;
};
/// What is wrong with a text, as kInvalidArgument, beginning with what it is.
using TextCheck = Status (*)(std::string_view text);
struct CheckedText {
  std::string* value;
  TextCheck check;
};
struct SecretText {  // ValueOf does not show it
  std::string* value;
};
struct TextMap {  // one key per entry below this setting's own key
  std::map<std::string, std::string>* value;
  bool secret = false;        // ValueOf does not show the texts
  TextCheck check = nullptr;  // of each text
};
using SettingTarget = std::variant<std::string*, bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*, ByteSize,
                                   DurationMs, Choice, IpAddress, CheckedText, SecretText, TextMap>;

struct Setting {
  std::string_view key;  // "section.name"
  SettingTarget target;
  std::uint64_t min = 0;  // of numbers, sizes and durations
  std::uint64_t max = 0;
};

/// All settings of `config`, in the order of the sample file. They point into `config`.
std::vector<Setting> SettingsOf(Config& config);

/// Checks and stores. kInvalidArgument says what would be right, without the key.
Status Assign(const Setting& setting, const SettingValue& value);
/// "1KiB to 1TiB", "text, json", "a path".
std::string RangeOf(const Setting& setting);
/// The value as it would stand in the file.
std::string ValueOf(const Setting& setting);

}  // namespace sluice::broker
