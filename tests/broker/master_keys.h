// A provider with one master key, for brokers whose streams are to be encrypted.
#pragma once

#include <memory>
#include <utility>

#include "broker/encryption/key_file.h"
#include "protocol/check.h"
#include "storage/env/memory_env.h"

namespace sluice::broker {

inline std::unique_ptr<KeyProvider> NewMasterKeys() {
  storage::MemoryEnv env;
  SLUICE_CHECK(AddKey(env, "/keys").has_value());
  return std::move(*OpenKeyFile(env, "/keys"));
}

}  // namespace sluice::broker
