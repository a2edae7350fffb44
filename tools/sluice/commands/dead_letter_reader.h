// Reads dead letters from the broker, for `sluice verify`.
//
// One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sluice/admin.h"
#include "tools/verify/verify.h"

namespace sluice::tools {

class StoredDeadLetters {
 public:
  /// `client` outlives it.
  StoredDeadLetters(AdminClient& client, ClientOptions options) : client_(client), options_(std::move(options)) {}

  /// As DeadLetterReader.
  Result<std::uint64_t> Read(const delivery::DeadLetters& letters, const DeadLetterVisitor& visitor);

 private:
  /// nullptr where its records are gone.
  Result<const ShardDescription*> ShardOf(const delivery::DeadLetters& letters);

  AdminClient& client_;
  const ClientOptions options_;
  std::map<std::string, StreamDescription> streams_;  // by name; no id: there is none
};

}  // namespace sluice::tools
