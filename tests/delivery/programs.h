// Programs that tests write and run.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/storage/env/temp_dir.h"

namespace sluice::delivery {

struct Programs {
  std::string Write(const std::string& name, std::string_view text) const {
    const std::string path = temp.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  /// The command of a shell script.
  std::vector<std::string> Shell(std::string_view script) const { return {"/bin/sh", Write("script.sh", script)}; }

  storage::TempDir temp;
};

inline bool IsRunning(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return stat >> number >> name >> state && state != "Z";
}

}  // namespace sluice::delivery
