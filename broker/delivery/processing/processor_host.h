// What processors and endpoints of one delivery stream have around them: the broker's settings, the source, and what
// outlives one delivery.
//
// One thread at a time, as the delivery stream, but where it says otherwise. A crash leaves nothing of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "broker/delivery/delivery_options.h"
#include "broker/delivery/endpoints/endpoint_config.h"
#include "broker/delivery/endpoints/request_progress.h"
#include "broker/delivery/redshift/load_progress.h"
#include "broker/delivery/secret_provider.h"
#include "storage/env/env.h"

namespace sluice::delivery {

class Endpoint;

class LambdaTransport;
class RecordSource;

/// The same for all delivery streams of a broker.
struct ProcessorSettings {
  LambdaOptions lambda = {};
  std::string ca_file = {};          // PEM; empty: the system's
  std::string jq_program = {};       // where sluice-jq is; empty: beside the broker's program
  std::string region = "us-east-1";  // and account: of the ARNs that are told to others
  std::string account = "000000000000";
  std::int64_t endpoint_timeout_ms = 180'000;   // of one request to an endpoint, as AWS
  std::int64_t load_timeout_ms = 900'000;       // of one statement of a load
  std::map<std::string, std::string> domains = {};  // ARN or name of an OpenSearch domain -> its cluster's URL
  std::string signing_secret = {};              // whose keys sign requests to AWS; empty: they are not signed
  const SecretProvider* secrets = nullptr;      // nullptr: there are none; outlives the endpoints
  const std::atomic<bool>* stopping = nullptr;  // what may take long ends when it is set; outlives the processors
};

/// What the processors have done since the broker started, tries that failed and looks at samples among it.
struct ProcessorCounts {
  struct Work {
    std::int64_t ns = 0;
    std::uint64_t batches = 0;
  };
  std::map<std::string, Work, std::less<>> by_type;  // of the processor
  std::uint64_t lambda_calls = 0;
  std::uint64_t lambda_failures = 0;  // of these calls: no answer, or one that is none
  std::uint64_t lambda_records = 0;   // that came back with "Ok"
  std::uint64_t lambda_bytes = 0;     // of these
};

struct ProcessorHost {
  const ProcessorSettings settings;
  RecordSource& source;
  const std::string run_id;         // of this start of the delivery stream
  storage::Clock* clock = nullptr;  // measures the processors; nullptr: they are not measured

  std::shared_ptr<LambdaTransport> lambda = nullptr;  // kept for the next delivery: a connection, a running program
  std::string lambda_arn = {};                        // whose it is
  ProcessorCounts counts = {};

  std::shared_ptr<Endpoint> endpoint = nullptr;  // kept for the next delivery: a connection
  EndpointConfig endpoint_config = {};           // whose it is
  RequestProgress requests = {};                 // of the delivery in hand
  LoadProgress load = {};                        // of the same
  std::int64_t retry_in_ms = 0;                  // when what has failed wants to be tried again; 0: it does not say
  std::int64_t ask_again_ms = 0;                 // above 0: nothing has failed, the endpoint has not said yet

  std::atomic<bool> interrupted = false;  // by any thread: somebody waits for the delivery stream

  /// What may take long ends soon after this has become true.
  bool stopping() const { return interrupted.load() || settings.stopping->load(); }
};

}  // namespace sluice::delivery
