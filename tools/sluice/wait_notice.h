// Says on stderr why `put` does not get on: a producer sends again for two minutes before it reports a record as
// failed, and nobody should look at a silent terminal meanwhile.
//
// Threads: its own, from making to end; the producer must outlive it.
#pragma once

#include <thread>

#include "sluice/producer.h"

namespace sluice::tools {

/// One line for each reason that has kept records from being acknowledged for a few seconds.
class WaitNotice {
 public:
  explicit WaitNotice(const Producer& producer);

 private:
  std::jthread thread_;
};

}  // namespace sluice::tools
