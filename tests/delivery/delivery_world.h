// A delivery stream's whole world in memory: a log, a lake, metadata that fails on demand, a clock that is set by hand.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/delivery/delivery_stream.h"
#include "storage/env/memory_env.h"
#include "storage/metadata_store.h"
#include "tests/catch.h"
#include "tests/delivery/fake_appender.h"
#include "tests/delivery/sample_config.h"

namespace sluice::delivery {

/// A log of shards that anybody can append to; reads give a few records at a time.
class FakeLog {
 public:
  struct Record {
    std::string value;
    std::int64_t append_time_ms = 0;
  };

  explicit FakeLog(std::uint32_t shards) : shards_(shards), oldest_(shards, 0) {}
  void Append(std::uint32_t shard, std::string value, std::int64_t time_ms) {
    shards_.at(shard).push_back({std::move(value), time_ms});
  }
  void RemoveBelow(std::uint32_t shard, std::uint64_t offset) { oldest_.at(shard) = offset; }
  /// Offsets [first, next) are damaged; `given_up` says that this was accepted.
  void Lose(std::uint64_t first, std::uint64_t next, bool given_up) {
    lost_first = first;
    lost_next = next;
    lost_given_up = given_up;
  }
  const std::vector<Record>& shard(std::uint32_t index) const { return shards_.at(index); }
  std::uint32_t shards() const { return static_cast<std::uint32_t>(shards_.size()); }
  std::uint64_t oldest(std::uint32_t shard) const { return oldest_.at(shard); }

  std::size_t records_per_visit = 7;
  std::uint64_t bytes_read_max = 0;  // the largest single read, for bounds on memory
  bool deleted = false;
  std::set<std::uint32_t> forgotten;            // shards
  std::uint64_t lost_first = 0, lost_next = 0;  // of every shard
  bool lost_given_up = false;

 private:
  std::vector<std::vector<Record>> shards_;
  std::vector<std::uint64_t> oldest_;
};

class FakeSource : public RecordSource {
 public:
  explicit FakeSource(FakeLog& log) : log_(log) {}

  Result<SourceStream> Describe() override {
    if (log_.deleted) return Error(Code::kNotFound, "stream 7 does not exist or was deleted");
    SourceStream stream{StreamId(7), "orders", {}};
    for (std::uint32_t i = 0; i < log_.shards(); ++i) {
      if (log_.forgotten.contains(i)) continue;
      stream.shards.push_back({.shard = ShardIndex(i), .created_ms = 1'600'000'000'000});
    }
    return stream;
  }
  Result<Offset> Resolve(ShardIndex shard, const StartPosition& start) override {
    return start.kind == StartPosition::Kind::kLatest ? Offset(log_.shard(shard.value).size()) : Offset(0);
  }
  Result<ReadProgress> Read(ShardIndex shard, Offset from, Offset to, std::uint64_t bytes_max,
                            const Visitor& visitor) override {
    const auto& records = log_.shard(shard.value);
    if (from.value < log_.oldest(shard.value) || from.value > records.size())
      return Error(Code::kOutOfRange, "not there");
    ReadProgress progress = *Bounds(shard);
    progress.next = from;
    const Offset lost_first(log_.lost_first), lost_next(log_.lost_next);
    if (lost_first <= from && from < lost_next) {
      if (!log_.lost_given_up) return Error(Code::kCorruption, "damaged");
      progress.next = std::min(lost_next, to);
      progress.given_up = true;
      return progress;
    }
    if (from < lost_first) to = std::min(to, lost_first);
    std::vector<RecordRef> refs;
    while (progress.next < progress.end && progress.next < to && progress.bytes < bytes_max) {
      const FakeLog::Record& record = records[progress.next.value];
      refs.push_back({record.value, "key", shard, progress.next, record.append_time_ms});
      progress.bytes += record.value.size();
      progress.next = progress.next + 1;
      ++progress.records;
      if (refs.size() < log_.records_per_visit && progress.next < progress.end) continue;
      if (Status status = visitor(refs); !status.ok()) return Error(std::move(status));
      refs.clear();
    }
    if (!refs.empty()) {
      if (Status status = visitor(refs); !status.ok()) return Error(std::move(status));
    }
    log_.bytes_read_max = std::max(log_.bytes_read_max, progress.bytes);
    return progress;
  }
  Result<ReadProgress> Bounds(ShardIndex shard) override {
    const Offset end(log_.shard(shard.value).size());
    return ReadProgress{end, Offset(log_.oldest(shard.value)), end, 0, 0};
  }

 private:
  FakeLog& log_;
};

/// Metadata whose nth commit fails: before it is done, or after it, when nobody can know.
class FaultyMetadata : public storage::MetadataStore {
 public:
  enum class Fault { kNone, kBefore, kAfter };

  void FailCommit(int nth, Fault fault) {
    left_ = nth;
    fault_ = fault;
    failures_ = 0;
  }
  int failures() const { return failures_; }

  Result<std::optional<std::string>> Get(std::string_view key) override { return store_->Get(key); }
  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override { return store_->Scan(prefix); }
  Status Commit(const storage::Transaction& transaction) override {
    const bool fail = left_ > 0 && --left_ == 0;
    if (fail) ++failures_;
    if (fail && fault_ == Fault::kBefore) return Status(Code::kIoError, "failed on demand");
    const Status status = store_->Commit(transaction);
    return fail ? Status(Code::kTimedOut, "failed on demand, but done") : status;
  }

 private:
  std::unique_ptr<storage::MetadataStore> store_ = storage::NewMemoryMetadataStore();
  int left_ = 0;
  int failures_ = 0;
  Fault fault_ = Fault::kNone;
};

struct World {
  explicit World(DeliveryConfig with, std::uint32_t shards = 2, std::string uid = "0123456789abcdef")
      : config(std::move(with)), log(shards) {
    DeliveryIdentity identity{
        .uid = std::move(uid), .source = StreamId(7), .created_ms = 1, .config_json = DeliveryConfigToJson(config)};
    Checkpoint checkpoint;
    for (std::uint32_t i = 0; i < shards; ++i) checkpoint.shards.push_back({ShardIndex(i), Offset(0), Offset(0)});
    std::optional<Schema> schema;
    if (!config.columns.empty()) {
      schema = Schema{.version = 1, .columns = {}, .overflow = false};
      for (const ColumnConfig& column : config.columns)
        schema->columns.push_back({column.name, *ParseHiveType(column.type)});
    }
    REQUIRE(DeliveryStore(metadata, config.name).Create(identity, checkpoint, schema).ok());
  }

  /// Starts the delivery stream as a broker does: nothing of an earlier one is left in memory.
  Status Start() {
    stream.reset();
    dead_letter_holds.clear();
    store = NewLocalObjectStore(env, "/root", {});
    const auto hold = [this](StreamId of, ShardIndex shard, Offset offset) {
      (of == StreamId(7) ? holds[shard.value] : dead_letter_holds[{of, shard}]) = offset.value;
    };
    const auto release = [this](StreamId of, ShardIndex shard) { dead_letter_holds.erase({of, shard}); };
    const auto load_zone = [](const std::string& name) -> Result<TimeZone> {
      if (name.empty()) return TimeZone::Utc();
      return Error(Code::kNotFound, "the world in memory has no time zone " + name);
    };
    stream = std::make_unique<DeliveryStream>(
        config.name, std::make_unique<FakeSource>(log),
        DeliveryParts{metadata, *store, env, "/data/delivery", load_zone, hold, processors, nullptr,
                      std::make_shared<FakeAppender>(streams, env), release});
    return stream->Open();
  }

  bool delivered() const {
    for (const ShardPosition& position : stream->status().checkpoint.shards) {
      if (position.next.value != log.shard(position.shard.value).size()) return false;
    }
    return !stream->status().intent.has_value();
  }

  /// Steps and moves the clock until all is delivered, or until `steps` are over.
  bool Run(int steps = 400) {
    for (int i = 0; i < steps && !delivered(); ++i) {
      const std::int64_t wait_ms = stream->Step();
      env.manual_clock().AdvanceMs(wait_ms);
    }
    return delivered();
  }

  /// Runs until power is lost at the `nth` call of the environment; false where all was delivered before.
  bool LosesPower(int nth) {
    env.PowerOffAtCall(storage::MemoryEnv::Call::kAny, nth);
    for (int i = 0; i < 400 && !delivered() && env.powered(); ++i) env.manual_clock().AdvanceMs(stream->Step());
    return !env.powered();
  }

  /// Every file of the bucket but spools: key -> bytes.
  std::map<std::string, std::string> Lake() { return Bucket("lake"); }
  std::map<std::string, std::string> Bucket(const std::string& bucket) {
    std::map<std::string, std::string> objects;
    Collect("/root/" + bucket, "", objects);
    return objects;
  }

  std::vector<LedgerEntry> Ledger() {
    auto ledger = stream->Ledger();
    REQUIRE(ledger.has_value());
    return *ledger;
  }

  DeliveryConfig config;
  FakeLog log;
  storage::MemoryEnv env;
  FaultyMetadata metadata;
  std::map<std::uint32_t, std::uint64_t> holds;
  std::map<ShardId, std::uint64_t> dead_letter_holds;
  FakeStreams streams;  // that dead letters are appended to
  std::atomic<bool> stopping = false;
  ProcessorSettings processors{.stopping = &stopping};
  std::unique_ptr<ObjectStore> store;
  std::unique_ptr<DeliveryStream> stream;

 private:
  void Collect(const std::string& dir, const std::string& key, std::map<std::string, std::string>& objects) {
    const auto names = env.List(dir);
    if (!names) return;
    for (const std::string& name : *names) {
      if (name == ".sluice") continue;
      const std::string path = dir + "/" + name;
      const std::string path_key = key.empty() ? name : key + "/" + name;
      if (env.Open(path, storage::OpenMode::kRead)) {
        objects[path_key] = env.ReadByHand(path);
      } else {
        Collect(path, path_key, objects);
      }
    }
  }
};

inline std::string JsonRecord(int id, std::size_t bytes = 20) {
  return fmt::format(R"({{"id":{},"text":"{}"}})", id, std::string(bytes, static_cast<char>('a' + id % 26)));
}

/// `count` records of about 10 KiB over all shards: 100 of them fill an object.
inline void Fill(World& world, int count) {
  for (int i = 0; i < count; ++i) {
    world.log.Append(static_cast<std::uint32_t>(i) % world.log.shards(), JsonRecord(i, 10'000),
                     world.env.clock().WallMs() + i);
  }
}

/// What is there is decided, and not delivered yet.
inline void Decide(World& world) {
  world.env.manual_clock().AdvanceMs(61'000);
  REQUIRE(world.stream->Step() == 0);
  REQUIRE(world.stream->status().intent.has_value());
}

/// Ledger ranges follow one another without gap or overlap, and every object of the lake is in the ledger once.
inline void CheckLedger(World& world) {
  std::map<std::uint32_t, std::uint64_t> next;
  std::map<std::string, std::uint64_t> objects;
  std::uint64_t seq = 1;
  for (const LedgerEntry& entry : world.Ledger()) {
    CHECK(entry.seq == seq++);
    for (const SourceRange& range : entry.ranges) {
      CHECK(range.first.value == next[range.shard.value]);
      next[range.shard.value] = range.last.value + 1;
    }
    for (const DeliveredObject& object : entry.objects) CHECK(objects.emplace(object.key, object.bytes).second);
  }
  for (std::uint32_t shard = 0; shard < world.log.shards(); ++shard)
    CHECK(next[shard] == world.log.shard(shard).size());
  const auto lake = world.Lake();
  CHECK(lake.size() == objects.size());
  for (const auto& [key, bytes] : lake) CHECK(objects[key] == bytes.size());
}

inline std::map<std::string, std::string> ReferenceLake(const DeliveryConfig& config, int records) {
  World world(config);
  Fill(world, records);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLedger(world);
  return world.Lake();
}

/// Loses power at each call of the environment in turn: with another start the lake is the same as without. `fill` puts
/// records into the log, `before_restart` may change how they are read afterwards.
inline void CheckPowerOffAtEveryCall(
    const DeliveryConfig& config, const std::function<void(World&)>& fill,
    const std::function<void(World&)>& before_restart = [](World&) {}) {
  World whole(config);
  fill(whole);
  REQUIRE(whole.Start().ok());
  REQUIRE(whole.Run());
  for (int nth = 1;; ++nth) {
    World world(config);
    fill(world);
    REQUIRE(world.Start().ok());
    if (!world.LosesPower(nth)) break;  // past the last call
    INFO("power off at call " << nth);
    world.env.PowerOn({});
    before_restart(world);
    REQUIRE(world.Start().ok());
    REQUIRE(world.Run());
    CHECK(world.Lake() == whole.Lake());
    if (config.backup) CHECK(world.Bucket(config.backup->bucket) == whole.Bucket(config.backup->bucket));
    CHECK(world.stream->status().checkpoint.totals == whole.stream->status().checkpoint.totals);
    REQUIRE(nth < 500);
  }
}

}  // namespace sluice::delivery
