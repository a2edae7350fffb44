// A shard that is dropped while it is written.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {
namespace {

/// Calls a function at the first creation of a segment, on the thread that writes it.
class HookedEnv final : public Env {
 public:
  explicit HookedEnv(MemoryEnv& env) : env_(env) {}
  using Env::Open;
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode, Access access) override {
    if (mode == OpenMode::kCreateOrOpen && path.ends_with(".seg") && on_segment) std::exchange(on_segment, {})();
    return env_.Open(path, mode, access);
  }
  Result<std::vector<std::string>> List(const std::string& dir) override { return env_.List(dir); }
  Status MakeDirs(const std::string& dir, Access access) override { return env_.MakeDirs(dir, access); }
  Status Remove(const std::string& path) override { return env_.Remove(path); }
  Status Rename(const std::string& from, const std::string& to) override { return env_.Rename(from, to); }
  Status RenameToNew(const std::string& from, const std::string& to) override { return env_.RenameToNew(from, to); }
  Status SyncDir(const std::string& dir) override { return env_.SyncDir(dir); }
  Result<bool> Exists(const std::string& path) override { return env_.Exists(path); }
  Result<std::uint64_t> FreeBytes(const std::string& dir) override { return env_.FreeBytes(dir); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override { return env_.Lock(path); }
  Clock& clock() override { return env_.clock(); }
  Random& random() override { return env_.random(); }

  std::function<void()> on_segment;  // set before there is something to write

 private:
  MemoryEnv& env_;
};

}  // namespace

TEST_CASE("LogStore DropShard: leaves no segment that was being made", "[storage]") {
  MemoryEnv memory;
  HookedEnv env(memory);
  const LogStoreOptions options = SmallOptions();
  auto opened = LogStore::Open(env, "/data", options, nullptr);
  REQUIRE(opened.has_value());
  LogStore& store = **opened;
  ManualLoop loop;
  const auto writer = store.NewWriter(loop);
  env.on_segment = [&store] { store.DropShard(kShardA); };

  protocol::FrameBuffer batch = MakeBatch(std::string(options.write_behind_bytes, '.'));
  const auto header = *protocol::ParseBatchHeader(batch.batch_view());
  bool answered = false;
  writer->Append(*store.OpenShard(kShardA), std::move(batch), header, AckMode::kDurable,
                 [&answered](const Result<Appended>& answer) { answered = answer.has_value(); });
  REQUIRE(loop.RunUntil([&answered] { return answered; }));
  Await([&] { return !memory.List("/data/segments").value().empty(); });
  CHECK(store.Shards().empty());

  memory.manual_clock().AdvanceMs(options.checkpoint_interval_ms);
  Await([&] {
    return std::ranges::all_of(memory.List("/data/segments").value(),
                               [](const std::string& name) { return name.starts_with("free-"); });
  });
  CHECK(store.stats().unwritten_bytes == 0);
  CHECK(store.stats().tail_bytes == 0);
}

}  // namespace sluice::storage
