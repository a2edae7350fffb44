// What a delivery is made with besides its records and the lake. Values; what they refer to says who may use it.
#pragma once

#include <functional>
#include <string>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/stream_appender.h"
#include "storage/env/env.h"

namespace sluice::broker {
class KeyProvider;
}

namespace sluice::delivery {

/// Where a delivery stream sets records aside, how it stores its intent again, and what it appends dead letters with.
struct StagingParts {
  storage::Env& env;
  broker::KeyProvider* keys;  // nullptr: none
  std::string path;           // of the spill
  /// Changes the intent as it is stored now, durably; where it changes nothing, nothing is stored.
  std::function<Status(const std::function<void(Intent&)>& change)> change_intent;
  StreamAppender* appender;  // that dead letters are read with, too; nullptr: there is no dead-letter stream

  /// Where error records are set aside that will be dead letters.
  std::string dead_letter_path() const { return path + ".dead"; }
};

}  // namespace sluice::delivery
