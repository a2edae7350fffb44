// The last part of a delivery to Redshift: its objects are in the lake, and are loaded into a table.
//
//     manifest of the objects, under a key that follows from the intent
//     it is known (stored) that the load was given up?      the manifest goes to errors/manifests/, for a load by hand
//     the attempt has not come to its end                   the delivery goes on with it later
//     loaded, now or before                                 done
//     failed, and RetryOptions are not over                 the try of the delivery ends, and asks to be made again
//                                                           after 1 s, 2 s, .. 120 s
//     failed, and they are over                             INTENT is stored again with that (one synced transaction),
//                                                           then as given up
//
// So that each delivery is loaded exactly once: the manifest's key is written into a table of the cluster in the
// transaction of the COPY, and looked for before (load_attempt.h). A crash, or a connection that breaks at COMMIT,
// leads to another attempt, which finds it. Without that table such a delivery is loaded once more.
//
// No thread waits for the cluster. One thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "broker/delivery/data_output.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/redshift/load_attempt.h"
#include "broker/delivery/staged_output.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// The configuration's user or, where that names a secret, the secret's as it is now. Errors as ReadSecretMembers.
Result<ClusterUser> ClusterUserOf(const RedshiftConfig& config, const ProcessorSettings& settings);

class RedshiftLoad {
 public:
  /// All outlive it; the configuration has a cluster.
  RedshiftLoad(const DeliveryTerms& terms, const Intent& intent, const StagingParts& staging, ProcessorHost& host,
               ObjectStore& objects);

  /// Loads the objects of `entry`, which are durable, and adds manifests and outcome to it.
  Status Run(LedgerEntry& entry);

 private:
  Status PutManifest(const std::string& key, const std::string& document, LedgerEntry& entry);
  Status Load(const std::string& manifest, LedgerEntry& entry);
  LoadRequest MakeRequest(const std::string& manifest) const;
  /// An error: there was no attempt, as the secret cannot be read.
  Result<LoadOutcome> Advance(const std::string& manifest);
  Status TakeFailure(const LoadOutcome& outcome, const std::string& manifest, LedgerEntry& entry);
  Status TryLater(const LoadOutcome& outcome);
  std::int64_t NowMs() const { return staging_.env.clock().MonotonicNs() / 1'000'000; }

  const DeliveryTerms& terms_;
  const Intent& intent_;
  const StagingParts& staging_;
  ProcessorHost& host_;
  ObjectStore& objects_;
  LoadProgress& progress_;
};

}  // namespace sluice::delivery
