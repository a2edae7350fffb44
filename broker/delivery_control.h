// What the doors call to manage delivery streams. The delivery stage implements it; a broker without the stage has
// none, and its doors answer kUnimplemented.
//
// Threads: Handle is called on one thread of its own (calls wait for one another, never for reads or appends) and may
// block.
#pragma once

#include <string_view>

#include "sluice/delivery_action.h"
#include "sluice/status.h"

namespace sluice::broker {

class DeliveryControl {
 public:
  virtual ~DeliveryControl() = default;
  /// `document` is the delivery stream's file for kCreate and kCheck, `document_name` its name in error messages.
  virtual Result<DeliveryAnswer> Handle(DeliveryAction action, std::string_view name, std::string_view document,
                                        std::string_view document_name) = 0;
  /// What the delivery streams of `source` failed on may be mended: they try again now. From any thread; never blocks.
  virtual void RetrySource(std::string_view source) = 0;
};

}  // namespace sluice::broker
