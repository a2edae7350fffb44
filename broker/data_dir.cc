// statfs, and one small file.
#include "broker/data_dir.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice::broker {
namespace {

struct VolatileKind {
  std::uint32_t magic;
  std::string_view name;
};
// Numbers that linux/magic.h lacks: FUSE and CIFS from their own kernel headers.
constexpr std::array kVolatileKinds = {
    VolatileKind{TMPFS_MAGIC, "tmpfs (memory)"},    VolatileKind{RAMFS_MAGIC, "ramfs (memory)"},
    VolatileKind{NFS_SUPER_MAGIC, "NFS (network)"}, VolatileKind{0x65735546, "FUSE (user space)"},
    VolatileKind{0xFF534D42, "CIFS (network)"},     VolatileKind{0xFE534D42, "SMB2 (network)"},
    VolatileKind{V9FS_MAGIC, "9p (network)"},
};

std::string PortsFile(const std::string& data_dir) { return data_dir + "/ports.json"; }

}  // namespace

Status CheckDurableFileSystem(const std::string& dir) {
  std::error_code error;
  std::filesystem::path existing = std::filesystem::absolute(dir, error);
  while (!existing.empty() && !std::filesystem::exists(existing, error) && existing != existing.root_path()) {
    existing = existing.parent_path();
  }
  struct statfs info{};
  if (::statfs(existing.c_str(), &info) != 0) {
    return Status(Code::kIoError, fmt::format("{}: cannot be looked at: {}", existing.string(), std::strerror(errno)));
  }
  for (const VolatileKind& kind : kVolatileKinds) {
    if (static_cast<std::uint32_t>(info.f_type) != kind.magic) continue;
    return Status(
        Code::kFailedPrecondition,
        fmt::format("the data directory {} is on {}, where acknowledged records may be lost; choose a directory on a "
                    "local disk (server.data_dir), or set storage.allow_volatile = true if that does not matter",
                    dir, kind.name));
  }
  return {};
}

std::string MetadataDir(const std::string& data_dir) { return data_dir + "/metadata"; }

std::string DeliveryWorkDir(const std::string& data_dir) { return data_dir + "/delivery"; }

std::string UploadsDir(const std::string& data_dir) { return data_dir + "/uploads"; }

Status WritePortsFile(const std::string& data_dir, const Ports& ports) {
  const std::string file = PortsFile(data_dir);
  const std::string temporary = file + ".new";
  {
    std::ofstream stream(temporary, std::ios::trunc);
    stream << fmt::format("{{\"native\": {}, \"admin\": {}", ports.native, ports.admin);
    if (ports.aws != 0) stream << fmt::format(", \"aws\": {}", ports.aws);
    if (ports.aws_tls != 0) stream << fmt::format(", \"aws_tls\": {}", ports.aws_tls);
    stream << "}\n";
    if (!stream.flush()) return Status(Code::kIoError, temporary + ": cannot be written");
  }
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) return Status(Code::kIoError, fmt::format("{}: cannot be written: {}", file, error.message()));
  return {};
}

void RemovePortsFile(const std::string& data_dir) {
  std::error_code ignored;
  std::filesystem::remove(PortsFile(data_dir), ignored);
}

}  // namespace sluice::broker
