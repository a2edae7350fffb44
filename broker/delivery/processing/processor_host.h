// What the processors of one delivery stream have around them: the broker's settings, the source, and what outlives one
// delivery.
//
// One thread at a time, as the delivery stream, but where it says otherwise. A crash leaves nothing of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "broker/delivery/delivery_options.h"

namespace sluice::delivery {

class LambdaTransport;
class RecordSource;

/// The same for all delivery streams of a broker.
struct ProcessorSettings {
  LambdaOptions lambda = {};
  std::string ca_file = {};          // PEM; empty: the system's
  std::string jq_program = {};       // where sluice-jq is; empty: beside the broker's program
  std::string region = "us-east-1";  // and account: of the ARNs that are told to others
  std::string account = "000000000000";
  const std::atomic<bool>* stopping = nullptr;  // what may take long ends when it is set; outlives the processors
};

struct ProcessorHost {
  const ProcessorSettings settings;
  RecordSource& source;
  const std::string run_id;  // of this start of the delivery stream

  std::shared_ptr<LambdaTransport> lambda = nullptr;  // kept for the next delivery: a connection, a running program
  std::string lambda_arn = {};                        // whose it is
  std::uint64_t invocations = 0;

  std::atomic<bool> interrupted = false;  // by any thread: somebody waits for the delivery stream

  /// What may take long ends soon after this has become true.
  bool stopping() const { return interrupted.load() || settings.stopping->load(); }
};

}  // namespace sluice::delivery
