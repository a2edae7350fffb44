// What can be asked about a delivery stream, and what comes back. Values only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// As native.proto's DeliveryRequest.Action, value by value.
enum class DeliveryAction : std::uint8_t {
  kCreate = 0,
  kCheck = 1,
  kList = 2,
  kDescribe = 3,
  kPause = 4,
  kResume = 5,
  kFlush = 6,
  kDelete = 7,
  kLedger = 8,   // what `sluice verify` compares the lake with
  kTry = 9,      // kCheck, and what would become of some records
  kErrors = 10,  // what failed and why, and was not delivered since
  kReplay = 11,  // delivers error records again
};

struct DeliveryAnswer {
  std::string document;               // JSON (docs/cli.md)
  std::vector<std::string> warnings;  // for a person to read
};

}  // namespace sluice
