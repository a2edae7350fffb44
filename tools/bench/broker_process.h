// A `sluice serve` of our own: started on an empty directory and free ports, stopped by its process id. Threads: one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/admin.h"
#include "sluice/status.h"
#include "tools/bench/bench.h"

namespace sluice::tools {

class BrokerProcess {
 public:
  using Settings =
      std::vector<std::pair<std::string, std::string>>;  // environment, such as SLUICE_STORAGE__SEGMENT_BYTES

  /// Starts a broker on a new directory NAME below options.dir and waits until its doors are open.
  static Result<std::unique_ptr<BrokerProcess>> Start(const BenchOptions& options, const std::string& name,
                                                      Settings settings = {});
  /// Ends the process and removes the directory.
  ~BrokerProcess();

  std::uint16_t native_port() const { return native_port_; }
  std::uint16_t admin_port() const { return admin_port_; }
  std::uint16_t aws_port() const { return aws_port_; }
  std::string data_dir() const { return dir_ + "/data"; }
  std::unique_ptr<AdminClient> Admin() const;
  /// Makes a stream; gives its id.
  Result<std::uint32_t> CreateStream(const std::string& name, std::uint32_t shards,
                                     const Retention& retention = {}) const;
  /// Waits until the segments hold every record: what was sent before is no load any more.
  Status WaitUntilWritten() const;
  /// Resident memory of the broker, in bytes.
  std::uint64_t ResidentBytes() const;

  /// Stops with SIGTERM (a clean stop) or SIGKILL, and starts again on the same directory; gives the seconds from start
  /// to ready.
  Result<double> Restart(int signal);

 private:
  BrokerProcess(const BenchOptions& options, std::string dir, Settings settings);
  Result<double> Launch();
  void End(int signal);

  const std::string program_;
  const std::string dir_;
  const Settings settings_;
  pid_t pid_ = -1;
  std::uint16_t native_port_ = 0;
  std::uint16_t admin_port_ = 0;
  std::uint16_t aws_port_ = 0;
};

}  // namespace sluice::tools
