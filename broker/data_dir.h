// The data directory before anything is opened in it: that it is on a disk, and the file that tells tools the ports.
//
//   DATA/            the log (storage/FORMAT.md)
//   DATA/metadata/   the metadata store
//   DATA/delivery/   what delivery streams set aside while they make a delivery
//   DATA/tls/        the AWS port's own certificate (self_made_certificate.h)
//   DATA/uploads/    where objects on their way to a remote store are, as files without a name
//   DATA/ports.json  {"native": 7420, "admin": 9420, "aws": 4566, "aws_tls": 4567}; written when the doors are
//                    open, removed at the stop
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/status.h"

namespace sluice::broker {

/// Where the doors listen; 0: there is no such door.
struct Ports {
  std::uint16_t native = 0;
  std::uint16_t admin = 0;
  std::uint16_t aws = 0;
  std::uint16_t aws_tls = 0;
};

/// kFailedPrecondition where the directory (or the nearest one above it that exists) is on a file system whose
/// fdatasync does not mean what "durable" promises: memory, network or user space. The message names
/// `storage.allow_volatile`.
Status CheckDurableFileSystem(const std::string& dir);

std::string MetadataDir(const std::string& data_dir);
std::string DeliveryWorkDir(const std::string& data_dir);
std::string UploadsDir(const std::string& data_dir);

/// Written beside and renamed, so that a reader never sees half of it.
Status WritePortsFile(const std::string& data_dir, const Ports& ports);
void RemovePortsFile(const std::string& data_dir);

}  // namespace sluice::broker
