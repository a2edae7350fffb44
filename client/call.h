// What the parts of the SDK hand to a connection, and what they get back.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "protocol/native/wire.h"
#include "sluice/status.h"

namespace sluice::client {

struct Call {
  protocol::wire::Operation operation = protocol::wire::Operation::kHello;
  std::string control;
  std::shared_ptr<const std::string> body;  // shared, so that sending again needs no copy; may be null
  std::chrono::milliseconds timeout{0};
  bool answered = true;  // false: no answer is expected; done when the operating system has the bytes
};

struct Answer {
  std::string control;
  std::string body;
};

/// Called exactly once, on the client's own thread.
using Done = std::move_only_function<void(Result<Answer>)>;

}  // namespace sluice::client
