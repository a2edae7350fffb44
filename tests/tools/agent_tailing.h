// A tailer over files in a directory of the test, which makes the times.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tools/agent/tailer.h"

namespace sluice::tools {

namespace fs = std::filesystem;

class Tailing {
 public:
  explicit Tailing(const std::string& glob = "app.log*",
                   const std::string& members = R"("initialPosition":"START_OF_FILE")") {
    std::string pattern = (fs::temp_directory_path() / "sluice-tailer-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    auto config = ParseAgentConfig(
        R"({"flows":[{"kinesisStream":"s","filePattern":")" + (directory_ / glob).string() + "\"," + members + "}]}",
        "t");
    INFO((config ? "" : config.error().message()));
    REQUIRE(config.has_value());
    flow_ = std::move(config->flows[0]);
    Restart({});
  }
  ~Tailing() { fs::remove_all(directory_); }

  void Append(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::app | std::ios::binary) << text;
  }
  void Write(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::trunc | std::ios::binary) << text;
  }
  void Rename(const std::string& from, const std::string& to) { fs::rename(directory_ / from, directory_ / to); }
  void Copy(const std::string& from, const std::string& to) { fs::copy_file(directory_ / from, directory_ / to); }
  void Link(const std::string& to, const std::string& name) { fs::create_symlink(to, directory_ / name); }
  void Remove(const std::string& name) { fs::remove(directory_ / name); }
  void Truncate(const std::string& name) { fs::resize_file(directory_ / name, 0); }

  void Pass(std::int64_t ms) { now_.monotonic_ms += ms; }
  void PassWall(std::int64_t ms) { now_.wall_ms += ms; }
  void Refresh(bool first = false) { tailer_->Refresh(now_, first); }
  /// What is read now.
  std::vector<std::string> ReadRecords() {
    Chunk chunk(flow_);
    std::vector<std::string> records;
    for (int i = 0; i < 3; ++i) tailer_->Collect(chunk, now_);  // a truncated file is read the next time
    for (const ResumableRecord& record : chunk.records()) records.push_back(record.value);
    return records;
  }
  /// The same, records behind one another.
  std::string Read() {
    std::string text;
    for (const std::string& record : ReadRecords()) text += record;
    return text;
  }
  std::string RefreshAndRead() {
    Refresh();
    return Read();
  }
  /// Another process, with what this one knew.
  void Restart(std::vector<FilePosition> positions) {
    tailer_ = std::make_unique<Tailer>(flow_, 7);
    tailer_->Restore(std::move(positions));
  }
  void Restart() { Restart(tailer_->Positions()); }
  Tailer& tailer() { return *tailer_; }

 private:
  fs::path directory_;
  FlowConfig flow_;
  std::unique_ptr<Tailer> tailer_;
  Tailer::Times now_{.wall_ms = 1'700'000'000'000, .monotonic_ms = 1'000'000};
};

}  // namespace sluice::tools
