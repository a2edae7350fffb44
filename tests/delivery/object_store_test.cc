// The local object store: whole objects or none, never another one's bytes, never outside of the bucket.
#include "broker/delivery/object_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "storage/env/memory_env.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::delivery {
namespace {

using storage::MemoryEnv;

Status PutText(ObjectStore& store, std::string_view key, std::string_view text) {
  auto spool = store.NewSpool("lake", "test");
  if (!spool) return spool.error();
  if (Status status = (*spool)->Write(text); !status.ok()) return status;
  return store.Put("lake", key, std::move(*spool));
}

}  // namespace

TEST_CASE("LocalObjectStore Put: the object is there, durable, and nothing else", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/lake-root", {});
  REQUIRE(PutText(*store, "a/b/c.txt", "hello").ok());
  CHECK(env.ReadByHand("/lake-root/lake/a/b/c.txt") == "hello");
  CHECK(store->Size("lake", "a/b/c.txt").value() == 5);
  CHECK_FALSE(store->Size("lake", "a/b/d.txt").value().has_value());
  env.Crash();
  CHECK(env.ReadByHand("/lake-root/lake/a/b/c.txt") == "hello");
  CHECK(env.List("/lake-root/lake/.sluice").value_or(std::vector<std::string>()).empty());
}

TEST_CASE("LocalObjectStore Put: large objects go through in pieces", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/root/", {});
  auto spool = store->NewSpool("lake", "test");
  REQUIRE(spool.has_value());
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    const std::string piece(100'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    REQUIRE((*spool)->Write(piece).ok());
    expected += piece;
  }
  CHECK((*spool)->bytes() == expected.size());
  REQUIRE(store->Put("lake", "big", std::move(*spool)).ok());
  CHECK((env.ReadByHand("/root/lake/big") == expected));  // Catch2 takes minutes to print them
}

TEST_CASE("LocalObjectStore Put: on a disk, past its page cache, an object has the bytes it was given and no more",
          "[delivery]") {
  storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto store = NewLocalObjectStore(*env, temp.path(), {});
  constexpr std::size_t kPieceBytes = 256u << 10;  // that a spool writes at once
  for (const std::size_t first :
       {std::size_t{1}, std::size_t{100'001}, kPieceBytes - 1, kPieceBytes, 3 * kPieceBytes + 4097}) {
    auto spool = store->NewSpool("lake", "test");
    REQUIRE(spool.has_value());
    const std::string expected = std::string(first, 'a') + std::string(kPieceBytes, 'b') + "end";
    REQUIRE((*spool)->Write(expected.substr(0, first)).ok());
    REQUIRE((*spool)->Write(expected.substr(first)).ok());
    const std::string key = std::to_string(first);
    REQUIRE(store->Put("lake", key, std::move(*spool)).ok());
    CHECK(std::filesystem::file_size(temp.path() + "/lake/" + key) == expected.size());
    std::string read;
    REQUIRE(store->Read("lake", key, [&](std::string_view piece) { return read.append(piece), Status(); }).ok());
    CHECK((read == expected));
  }
}

TEST_CASE("LocalObjectStore Put: the same bytes again are a success, other bytes an alarm", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/root", {});
  REQUIRE(PutText(*store, "k", "same").ok());
  CHECK(PutText(*store, "k", "same").ok());
  const Status other = PutText(*store, "k", "else");
  CHECK(other.code() == Code::kCorruption);
  CHECK(other.message().find("/root/lake/k") != std::string::npos);
  CHECK(PutText(*store, "k", "longer than before").code() == Code::kCorruption);
  CHECK(env.ReadByHand("/root/lake/k") == "same");
}

TEST_CASE("LocalObjectStore Put: whatever call fails, the next try succeeds and a crash leaves all or nothing",
          "[delivery]") {
  for (int nth = 1;; ++nth) {
    MemoryEnv env;
    const auto store = NewLocalObjectStore(env, "/root", {});
    env.FailCall(MemoryEnv::Call::kAny, nth);
    const Status first = PutText(*store, "a/k", "text");
    if (env.failures() == 0) break;
    INFO("failed call " << nth << ": " << first.ToString());
    CHECK((first.ok() || first.code() == Code::kUnavailable));
    const auto size = store->Size("lake", "a/k");
    REQUIRE(size.has_value());
    CHECK((!size->has_value() || **size == 4));
    REQUIRE(PutText(*store, "a/k", "text").ok());
    env.Crash();
    CHECK(env.ReadByHand("/root/lake/a/k") == "text");
    REQUIRE(nth < 100);
  }
}

TEST_CASE("LocalObjectStore Put: a directory is made durable once, and its new name at each put", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/root", {});
  REQUIRE(PutText(*store, "a/b/first", "text").ok());
  const std::uint64_t made = env.calls(MemoryEnv::Call::kMakeDirs);
  const std::uint64_t synced = env.calls(MemoryEnv::Call::kSyncDir);
  REQUIRE(PutText(*store, "a/b/second", "text").ok());
  CHECK(env.calls(MemoryEnv::Call::kMakeDirs) == made);
  CHECK(env.calls(MemoryEnv::Call::kSyncDir) == synced + 1);
  REQUIRE(PutText(*store, "a/c/third", "text").ok());
  CHECK(env.calls(MemoryEnv::Call::kMakeDirs) == made + 1);  // "a" is there
  const auto restarted = NewLocalObjectStore(env, "/root", {});
  REQUIRE(PutText(*restarted, "a/b/fourth", "text").ok());
  CHECK(env.calls(MemoryEnv::Call::kMakeDirs) > made + 4);  // who made them before may have died too early
}

TEST_CASE("LocalObjectStore Put: a directory that was removed since is made again", "[delivery]") {
  const storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto store = NewLocalObjectStore(*env, temp.path(), {});
  REQUIRE(PutText(*store, "a/b/k", "text").ok());
  std::filesystem::remove_all(temp.path() + "/lake/a");
  REQUIRE(PutText(*store, "a/b/k", "text").ok());
  CHECK(std::filesystem::exists(temp.path() + "/lake/a/b/k"));
}

TEST_CASE("LocalObjectStore Put: a full disk is a wait, not a loss", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/root", {});
  REQUIRE(PutText(*store, "before", "x").ok());
  env.SetDiskFull(true);
  const Status status = PutText(*store, "k", "text");
  CHECK(status.code() == Code::kUnavailable);
  CHECK(status.message().find("/root/lake") != std::string::npos);
  CHECK(status.message().find("nothing is lost") != std::string::npos);
  env.SetDiskFull(false);
  CHECK(PutText(*store, "k", "text").ok());
}

TEST_CASE("LocalObjectStore NewSpool: a bucket's directory that was there and is gone is not made anew", "[delivery]") {
  const storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto store = NewLocalObjectStore(*env, temp.path(), {});
  const std::string lake = temp.path() + "/lake";
  SECTION("known from before") { store->ExpectBucket("lake"); }
  SECTION("it took an object") {
    REQUIRE(PutText(*store, "a/k", "text").ok());
    std::filesystem::rename(lake, lake + "-away");
  }
  SECTION("it was checked, and only the mount point is left") {
    REQUIRE(store->CheckBucket("lake").ok());
    std::filesystem::remove_all(lake + "/.sluice");
  }
  const bool mount_point = std::filesystem::exists(lake);
  for (const Status& status : {PutText(*store, "b/k", "text"), store->CheckBucket("lake")}) {
    CHECK(status.code() == Code::kUnavailable);
    CHECK(status.message().find("'" + lake + "' is not what it was") != std::string::npos);
  }
  CHECK(std::filesystem::exists(lake) == mount_point);
  CHECK(PutText(*store, "b/k", "text").code() == Code::kUnavailable);
  std::filesystem::create_directories(lake + "/.sluice");  // mounted again
  CHECK(PutText(*store, "b/k", "text").ok());
}

TEST_CASE("LocalObjectStore Put: a bucket's directory that goes away under a spool is not made anew", "[delivery]") {
  const storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto store = NewLocalObjectStore(*env, temp.path(), {});
  auto spool = store->NewSpool("lake", "test");
  REQUIRE(spool.has_value());
  std::filesystem::rename(temp.path() + "/lake", temp.path() + "/away");
  CHECK(store->Put("lake", "a/k", std::move(*spool)).code() == Code::kUnavailable);
  CHECK_FALSE(std::filesystem::exists(temp.path() + "/lake"));
}

TEST_CASE("CheckObjectKey: no way out of the bucket", "[delivery]") {
  MemoryEnv env;
  const auto store = NewLocalObjectStore(env, "/root", {});
  for (const std::string& key :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("../a"),
        std::string("a/../../b"), std::string("a/./b"), std::string("a\nb"), std::string(1025, 'a'),
        std::string(256, 'a'), std::string(".sluice/x.spool")}) {
    INFO(key);
    CHECK(CheckObjectKey(key).code() == Code::kInvalidArgument);
    CHECK(PutText(*store, key, "x").code() == Code::kInvalidArgument);
  }
  CHECK(CheckObjectKey("year=2026/month=11/orders-1-2026.parquet").ok());
}

TEST_CASE("LocalObjectStore Put: the lake is as open as the umask leaves it", "[delivery]") {
  storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const auto store = NewLocalObjectStore(*env, temp.path() + "/root", {});
  const mode_t before = ::umask(0022);
  const Status status = PutText(*store, "year=2026/k", "text");
  ::umask(before);
  REQUIRE(status.ok());
  for (const auto& [name, mode] : std::map<std::string, mode_t>{
           {"/root", 0755}, {"/root/lake", 0755}, {"/root/lake/year=2026", 0755}, {"/root/lake/year=2026/k", 0644}}) {
    INFO(name);
    struct stat info{};
    REQUIRE(::stat((temp.path() + name).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777u) == mode);
  }
}

TEST_CASE("LocalObjectStore Put: symbolic links do not lead out of the bucket; a mapped bucket is where the map says",
          "[delivery]") {
  storage::TempDir temp;
  const std::string root = temp.path();
  const auto env = storage::NewPosixEnv();
  REQUIRE(env->MakeDirs(root + "/lake").ok());
  REQUIRE(env->MakeDirs(root + "/outside").ok());
  REQUIRE(symlink((root + "/outside").c_str(), (root + "/lake/link").c_str()) == 0);
  const auto store = NewLocalObjectStore(*env, root, {});
  const Status status = PutText(*store, "link/k", "text");
  CHECK(status.code() == Code::kUnavailable);
  CHECK(status.message().find("symbolic link") != std::string::npos);
  CHECK_FALSE(env->Exists(root + "/outside/k").value());
  CHECK(PutText(*store, "plain/k", "text").ok());
  const auto mapped = NewLocalObjectStore(*env, root, {{"lake", root + "/outside"}});
  REQUIRE(PutText(*mapped, "k", "text").ok());
  CHECK(env->Exists(root + "/outside/k").value());
}

}  // namespace sluice::delivery
