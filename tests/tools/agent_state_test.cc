// What a flow writes down comes back as it was, or is told to be damaged.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/catch.h"
#include "tools/agent/flow_state.h"

using namespace sluice;
using namespace sluice::tools;

namespace {

namespace fs = std::filesystem;

struct Directory {
  Directory() {
    std::string pattern = (fs::temp_directory_path() / "sluice-state-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Directory() { fs::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("FlowStateFile: what was written last is read", "[agent]") {
  const Directory directory;
  const FlowStateFile file(directory.path, "a into b");
  const auto nothing = file.Read();
  REQUIRE(nothing.has_value());
  CHECK_FALSE(nothing->has_value());
  FlowState state;
  state.files.push_back({.path = "/l/\"a\"",
                         .name = "a.log",
                         .device = 1,
                         .inode = ~std::uint64_t{0},
                         .offset = 5,
                         .head = {5, 7},
                         .tail = {3, 0xFFFFFFFF},
                         .header_lines_left = 1,
                         .cutting = true,
                         .held = false,
                         .seen_ms = 9});
  state.batches.push_back({.stream_id = 1, .shard = 2, .records = 3, .bytes = std::string("a\0\nb", 4)});
  state.batches.push_back({.stream_id = 1, .shard = 3, .records = 1, .bytes = "c"});
  REQUIRE(file.Write(state).ok());
  const auto read = file.Read();
  REQUIRE(read.has_value());
  REQUIRE(read->has_value());
  CHECK((*read)->files == state.files);
  REQUIRE((*read)->batches.size() == 2);
  CHECK((*read)->batches[0].bytes == state.batches[0].bytes);
  CHECK((*read)->batches[1].shard == 3);
  CHECK((*read)->batches[1].bytes == "c");
  CHECK_FALSE(FlowStateFile(directory.path, "a into c").Read()->has_value());
}

TEST_CASE("FlowStateFile Read: one changed or missing byte anywhere is told", "[agent]") {
  const Directory directory;
  const FlowStateFile file(directory.path, "a into b");
  REQUIRE(file.Write({.files = {{.path = "/l/a"}}, .batches = {{1, 2, 3, "bytes"}}}).ok());
  std::ostringstream text;
  text << std::ifstream(file.path(), std::ios::binary).rdbuf();
  const std::string good = text.str();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    for (const std::string& damaged : {bad, good.substr(0, at)}) {
      std::ofstream(file.path(), std::ios::binary | std::ios::trunc) << damaged;
      const auto read = file.Read();
      INFO(at);
      REQUIRE_FALSE(read.has_value());
      CHECK(read.error().code() == Code::kCorruption);
    }
  }
}

TEST_CASE("StateLock Take: one agent at a time", "[agent]") {
  const Directory directory;
  {
    const auto lock = StateLock::Take(directory.path + "/new");
    REQUIRE(lock.has_value());
    const auto second = StateLock::Take(directory.path + "/new");
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().code() == Code::kFailedPrecondition);
  }
  CHECK(StateLock::Take(directory.path + "/new").has_value());
}
