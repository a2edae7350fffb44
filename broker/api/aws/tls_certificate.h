// The certificate of the AWS port, and its key, as two files say: read again when they change. New files that cannot
// be used leave the old certificate in use, with a line in the log.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/api/aws/tls_identity.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker::aws {

/// Where the two stand, in PEM.
struct TlsFiles {
  std::string certificate;
  std::string key;
};

class TlsCertificate {
 public:
  /// An error names the file and the setting. `env` outlives this.
  static Result<std::unique_ptr<TlsCertificate>> Open(storage::Env& env, TlsFiles files);

  /// For a new connection. Looks at the files, at most every other second.
  std::shared_ptr<const TlsIdentity> Current();

 private:
  struct Texts {
    std::string certificate;
    std::string key;
    friend bool operator==(const Texts&, const Texts&) = default;
  };

  TlsCertificate(storage::Env& env, TlsFiles files) : env_(env), files_(std::move(files)) {}
  Result<Texts> Read() const;
  Result<std::string> ReadOne(const std::string& path, std::string_view setting) const;
  Status Load();

  storage::Env& env_;
  const TlsFiles files_;
  std::int64_t looked_ns_ = 0;
  Result<Texts> seen_;  // what the last look has found, in use or not
  std::shared_ptr<const TlsIdentity> identity_;
};

}  // namespace sluice::broker::aws
