// Every bucket where the configuration says: in a directory, or in a remote store.
//
// Threads: any. Crash behaviour: that of the bucket's store.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "broker/delivery/delivery_options.h"
#include "broker/delivery/object_store.h"

namespace sluice::delivery {

/// Asks no store. `spool_dir` is for what is on its way to a remote store. No request is tried again once `stopping` is
/// true. `env` and `stopping` outlive the store. kInvalidArgument names the setting that is no root.
Result<std::unique_ptr<ObjectStore>> NewRoutedObjectStore(storage::Env& env, const DeliveryOptions& options,
                                                          std::string spool_dir, const std::atomic<bool>& stopping);

}  // namespace sluice::delivery
