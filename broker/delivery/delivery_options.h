// The settings of the delivery stage, as the configuration reader fills them in.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace sluice::delivery {

/// How Lambdas are called.
struct LambdaOptions {
  std::string endpoint = {};          // of functions that are named by an ARN: http://HOST:PORT; empty: none
  std::int64_t timeout_ms = 300'000;  // of one invocation, as AWS
  bool allow_commands = false;        // programs of this machine, which run as the broker's user
  std::int64_t retry_first_ms = 100;  // before an invocation is tried again; doubles, up to a second
};

struct DeliveryOptions {
  std::string lake_dir = "sluice-lake";        // buckets are directories under it
  std::map<std::string, std::string> buckets;  // bucket name -> directory, for those that lie elsewhere
  std::string config_dir;                      // *.json, *.yaml: delivery streams made at start; empty: none
  std::string tables_dir;                      // DATABASE.TABLE.json: Glue tables; empty: none is asked
  std::uint32_t threads = 1;                   // conversion is CPU work; more than the cores is of no use
  LambdaOptions lambda;
  std::string tls_authorities;  // file in PEM by which https endpoints are trusted; empty: the system's
};

}  // namespace sluice::delivery
