// What only the store on disk can show: it is there again after a restart and a kill, says who is in the way, refuses
// damage.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "storage/metadata_store.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::storage {
namespace {

/// The one file of the store whose name ends so and that has content.
std::filesystem::path FileEndingWith(const std::string& dir, const std::string& suffix) {
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(suffix) && entry.file_size() > 0) return entry.path();
  }
  FAIL("no file ends with " << suffix);
  return {};
}

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Overwrite(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// Leaves the store's files after eight commits of one key each: records of one size.
void CommitEight(const std::string& dir) {
  const auto store = OpenRocksdbMetadataStore(dir).value();
  for (int i = 0; i < 8; ++i) REQUIRE(store->Commit(Transaction().Put(std::to_string(i), "value")).ok());
}

/// A running metadata_writer.
struct Writer {
  Writer(const std::string& dir, int first) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::dup2(pipe_ends[1], STDOUT_FILENO);
      ::execl(METADATA_WRITER, METADATA_WRITER, dir.c_str(), std::to_string(first).c_str(), nullptr);
      ::_exit(66);
    }
    ::close(pipe_ends[1]);
    acks = pipe_ends[0];
  }

  int WaitForEnd() {
    int result = 0;
    REQUIRE(::waitpid(pid, &result, 0) == pid);
    ::close(acks);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
  }

  pid_t pid = -1;
  int acks = -1;
};

/// Writes key after key in another process and kills that once `acked_before_kill` commits were acknowledged.
int CommitAndKill(const std::string& dir, int first, int acked_before_kill) {
  Writer writer(dir, first);
  int acked = 0;
  char byte;
  while (acked < acked_before_kill && ::read(writer.acks, &byte, 1) == 1) ++acked;
  REQUIRE(::kill(writer.pid, SIGKILL) == 0);
  while (::read(writer.acks, &byte, 1) == 1) ++acked;
  CHECK(writer.WaitForEnd() == -1);
  CHECK(acked >= acked_before_kill);
  return acked;
}

TEST_CASE("RocksdbMetadataStore Open: everything is there again", "[storage][metadata]") {
  const TempDir temp;
  const std::string dir = temp.path() + "/deep/metadata";
  for (int round = 0; round < 3; ++round) {
    const auto store = OpenRocksdbMetadataStore(dir);
    REQUIRE(store.has_value());
    CHECK((*store)->Scan("").value().size() == static_cast<std::size_t>(round));
    REQUIRE((*store)->Commit(Transaction().Put("round/" + std::to_string(round), "x")).ok());
  }
}

TEST_CASE("RocksdbMetadataStore Commit: survives kill -9 whole", "[storage][metadata]") {
  const TempDir temp;
  int committed = 0;
  for (int round = 0; round < 5; ++round) {
    const int acked = CommitAndKill(temp.path(), committed, 10 + 7 * round);
    const auto store = OpenRocksdbMetadataStore(temp.path()).value();
    const int found = static_cast<int>(store->Scan("key/").value().size());
    CHECK(found >= committed + acked);
    CHECK(found <= committed + acked + 1);  // one may have been durable, its answer not yet out
    CHECK(store->Get("last").value() == std::to_string(found - 1));
    committed = found;
  }
}

TEST_CASE("RocksdbMetadataStore Open: a second process is refused", "[storage][metadata]") {
  const TempDir temp;
  const auto store = OpenRocksdbMetadataStore(temp.path());
  REQUIRE(store.has_value());
  const auto in_process = OpenRocksdbMetadataStore(temp.path());
  REQUIRE(!in_process.has_value());
  CHECK(in_process.error().code() == Code::kFailedPrecondition);
  CHECK(in_process.error().message().find("where another process uses this data directory") != std::string::npos);

  CHECK(Writer(temp.path(), 0).WaitForEnd() == static_cast<int>(Code::kFailedPrecondition));
}

TEST_CASE("RocksdbMetadataStore Open: a lock that fails for another reason is not blamed on a process",
          "[storage][metadata]") {
  const TempDir temp;
  std::filesystem::create_directory(temp.path() + "/LOCK");
  const auto store = OpenRocksdbMetadataStore(temp.path());
  REQUIRE(!store.has_value());
  CHECK(store.error().message().find("Is a directory") != std::string::npos);
  CHECK(store.error().message().find("is in use") == std::string::npos);
}

TEST_CASE("RocksdbMetadataStore Open: a flipped bit in the log of changes is never a silent loss",
          "[storage][metadata]") {
  const TempDir temp;
  const std::string original = temp.path() + "/original";
  CommitEight(original);
  const std::string name = FileEndingWith(original, ".log").filename();
  const std::string bytes = Slurp(original + "/" + name);
  const std::size_t last_record = bytes.size() / 8 * 7;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    const std::string copy = temp.path() + "/copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(original, copy);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    Overwrite(copy + "/" + name, damaged);
    const auto store = OpenRocksdbMetadataStore(copy);
    if (store.has_value()) {
      // Damage in the last change cannot be told from a change that a crash cut short.
      CHECK(at >= last_record);
      CHECK((*store)->Scan("").value().size() == 7);
    } else {
      CHECK(store.error().code() == Code::kCorruption);
      CHECK(store.error().message().find(copy) != std::string::npos);
    }
  }
}

TEST_CASE("RocksdbMetadataStore Open: an unfinished last change is cut", "[storage][metadata]") {
  const TempDir temp;
  CommitEight(temp.path());
  const std::filesystem::path log = FileEndingWith(temp.path(), ".log");
  const std::string bytes = Slurp(log);
  SECTION("cut off") { Overwrite(log, bytes.substr(0, bytes.size() - 3)); }
  SECTION("its end is zeros") { Overwrite(log, bytes.substr(0, bytes.size() - 9) + std::string(9, '\0')); }
  SECTION("all of it is zeros, and many more") {
    Overwrite(log, bytes.substr(0, bytes.size() - bytes.size() / 8) + std::string(9000, '\0'));
  }
  const auto store = OpenRocksdbMetadataStore(temp.path());
  REQUIRE(store.has_value());
  CHECK((*store)->Scan("").value().size() == 7);
  REQUIRE((*store)->Commit(Transaction().Put("more", "value")).ok());
}

TEST_CASE("RocksdbMetadataStore Open: changes of many blocks, cut anywhere", "[storage][metadata]") {
  const TempDir temp;
  const std::string original = temp.path() + "/original";
  {
    const auto store = OpenRocksdbMetadataStore(original).value();
    for (int i = 0; i < 3; ++i)
      REQUIRE(store->Commit(Transaction().Put(std::to_string(i), std::string(100'000, 'v'))).ok());
  }
  const std::string name = FileEndingWith(original, ".log").filename();
  const std::string bytes = Slurp(original + "/" + name);
  for (std::size_t size = 0; size <= bytes.size(); size += 9'973) {
    CAPTURE(size);
    const std::string copy = temp.path() + "/copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(original, copy);
    Overwrite(copy + "/" + name, bytes.substr(0, size));
    const auto store = OpenRocksdbMetadataStore(copy);
    REQUIRE(store.has_value());
    CHECK((*store)->Scan("").value().size() == size / 100'040);
  }
}

TEST_CASE("RocksdbMetadataStore Open: a directory that cannot be made is named", "[storage][metadata]") {
  const TempDir temp;
  std::ofstream(temp.path() + "/file") << "in the way";
  const auto store = OpenRocksdbMetadataStore(temp.path() + "/file/metadata");
  REQUIRE(!store.has_value());
  CHECK(store.error().message().find(temp.path() + "/file") != std::string::npos);
}

TEST_CASE("RocksdbMetadataStore Commit: old files do not pile up", "[storage][metadata]") {
  const TempDir temp;
  for (int round = 0; round < 8; ++round) {
    const auto store = OpenRocksdbMetadataStore(temp.path()).value();
    REQUIRE(store->Commit(Transaction().Put("key", std::string(300'000, 'x'))).ok());
  }
  std::size_t bytes = 0;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(temp.path())) {
    bytes += entry.file_size();
    ++files;
  }
  CHECK(bytes < 8u << 20);
  CHECK(files < 25);
}

}  // namespace
}  // namespace sluice::storage
