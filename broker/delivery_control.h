// What the doors call to manage delivery streams. The delivery stage implements it; a broker without the stage has
// none, and its doors answer kUnimplemented.
//
// Threads: Handle is called on one thread of its own (calls wait for one another, never for reads or appends) and may
// block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::broker {

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
  kLedger = 8,
};
inline constexpr std::uint8_t kDeliveryActionMax = 8;

struct DeliveryAnswer {
  std::string document;  // JSON, docs/cli.md
  std::vector<std::string> warnings;
};

class DeliveryControl {
 public:
  virtual ~DeliveryControl() = default;
  /// `document` is the delivery stream's file for kCreate and kCheck, `document_name` its name in error messages.
  virtual Result<DeliveryAnswer> Handle(DeliveryAction action, std::string_view name, std::string_view document,
                                        std::string_view document_name) = 0;
};

}  // namespace sluice::broker
