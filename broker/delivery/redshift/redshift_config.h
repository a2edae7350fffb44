// What is configured of a Redshift cluster into which the objects of deliveries are loaded. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/delivery/secret_provider.h"

namespace sluice::delivery {

inline constexpr std::uint64_t kLoadRetrySecondsDefault = 3600;
inline constexpr std::string_view kLoadsTableDefault = "sluice_loads";

struct RedshiftConfig {
  std::string role_arn = {};  // COPY's IAM_ROLE; empty: the options have credentials
  std::string url = {};       // jdbc_url.h
  std::string username = {};
  std::string password = {};                                  // a secret
  SecretConfig secret = {};                                   // where both are instead
  std::string table = {};                                     // SQL, as the next two
  std::string columns = {};                                   // separated by commas; empty: those of the table
  std::string copy_options = {};                              // may hold secrets
  std::uint64_t retry_s = kLoadRetrySecondsDefault;           // how long a load is tried again; 0: not at all
  std::string loads_table = std::string(kLoadsTableDefault);  // says what is loaded; empty: nothing does
  friend bool operator==(const RedshiftConfig&, const RedshiftConfig&) = default;
};

}  // namespace sluice::delivery
