// One bucket in a remote store (S3, Google, Azure). Spools are local files without a name; an object is made of one in
// one step.
//
// A key that exists is read back and compared, so that a delivery that is repeated after a crash changes nothing and
// nobody's bytes are replaced. Nobody but Sluice should write below the bucket's root: between that look and the upload
// lies a moment that the stores' interface cannot close.
//
// Threads: any; a spool belongs to one thread. Crash behaviour: see object_store.h; a spool goes with the process, the
// parts of an upload that was cut off may stay in the store, unseen (docs/delivery.md).
#pragma once

#include <memory>
#include <string>

#include "broker/delivery/object_store.h"
#include "broker/delivery/remote_files.h"

namespace sluice::delivery {

/// `spool_dir` is made where it is missing; others may use it, too, with spools of other names.
std::unique_ptr<ObjectStore> NewRemoteObjectStore(storage::Env& env, std::unique_ptr<RemoteFiles> files,
                                                  std::string spool_dir);

}  // namespace sluice::delivery
