// The settings of the delivery stage, as the configuration reader fills them in.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace sluice::delivery {

struct DeliveryOptions {
  std::string lake_dir = "sluice-lake";        // buckets are directories under it
  std::map<std::string, std::string> buckets;  // bucket name -> directory, for those that lie elsewhere
  std::string config_dir;                      // *.json, *.yaml: delivery streams made at start; empty: none
  std::string tables_dir;                      // DATABASE.TABLE.json: Glue tables; empty: none is asked
  std::uint32_t threads = 1;                   // conversion is CPU work; more than the cores is of no use
};

}  // namespace sluice::delivery
