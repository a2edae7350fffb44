// The broker's core over a real log, for histories of reshards under load: producers that number the records of their
// keys and send what meets a closed shard again, and a reader that follows each key from parent to child.
#pragma once

#include <atomic>
#include <charconv>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "broker/append_service.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "broker/read_service.h"
#include "broker/reshard.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "protocol/batch.h"
#include "protocol/check.h"
#include "protocol/sequence_number.h"
#include "storage/env/env.h"
#include "storage/log_store.h"
#include "storage/metadata_store.h"
#include "tests/catch.h"

namespace sluice::broker {

/// A metadata store that outlives crashes, with a hook around its commits.
class SurvivingMetadata final : public storage::MetadataStore {
 public:
  Result<std::optional<std::string>> Get(std::string_view key) override { return store_->Get(key); }
  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override { return store_->Scan(prefix); }
  Status Commit(const storage::Transaction& transaction) override {
    if (before_commit) before_commit();
    if (off) return Status(Code::kIoError, "the power is off");
    Status status = store_->Commit(transaction);
    if (after_commit) after_commit();
    if (lose_answers) return Status(Code::kIoError, "the answer is lost");
    return status;
  }
  // Set while nothing runs.
  std::function<void()> before_commit;
  std::function<void()> after_commit;
  std::atomic<bool> off{false};
  bool lose_answers = false;

 private:
  std::unique_ptr<storage::MetadataStore> store_ = storage::NewMemoryMetadataStore();
};

class ReshardWorld {
 public:
  ReshardWorld(storage::Env& env, std::string dir, std::size_t loops) : env_(env), dir_(std::move(dir)), loops_(loops) {
    Start();
    SLUICE_CHECK(running_->catalog->Create("orders", 2, {}).has_value());
  }
  ~ReshardWorld() { Stop(true); }

  SurvivingMetadata& metadata() { return metadata_; }
  Resharder& resharder() { return running_->resharder; }
  StreamCatalog& catalog() { return *running_->catalog; }
  StreamPtr stream() { return *running_->catalog->Find("orders"); }

  /// Not a clean stop: as the end of a process.
  void Kill() { Stop(false); }
  void Start() {
    storage::LogStoreOptions options{.journal_file_bytes = 1u << 20,
                                     .journal_bytes_max = 16u << 20,
                                     .segment_bytes = 256u << 10,
                                     .write_behind_bytes = 4u << 10};
    auto store = storage::LogStore::Open(env_, dir_, options, nullptr);
    REQUIRE(store.has_value());
    running_ = std::make_unique<Running>(loops_, std::move(*store), metadata_, env_.clock());
    REQUIRE(Shards::DropOrphans(*running_->store, *running_->catalog).has_value());
  }

  std::future<Result<storage::Appended>> Append(ShardId shard, protocol::FrameBuffer batch) {
    auto promise = std::make_shared<std::promise<Result<storage::Appended>>>();
    auto future = promise->get_future();
    EventLoop& loop = running_->loops.loop(0);
    loop.Post([this, &loop, shard, batch = std::move(batch), promise]() mutable {
      running_->appends->Append(loop, {.stream = shard.stream, .shard = shard.index, .batch = std::move(batch)},
                                [promise](const auto& result) { promise->set_value(result); });
    });
    return future;
  }
  Result<ReadAnswer> Read(ShardId shard, Offset from) {
    std::promise<Result<ReadAnswer>> answer;
    EventLoop& loop = running_->loops.loop(0);
    loop.Post([&] {
      running_->reads->Read(loop, {.stream = shard.stream, .shard = shard.index, .from = from},
                            [&](Result<ReadAnswer> read) { answer.set_value(std::move(read)); });
    });
    return answer.get_future().get();
  }
  std::shared_ptr<storage::ShardLog> log(ShardIndex shard) { return running_->store->OpenShard({stream()->id, shard}); }

 private:
  struct Running {
    Running(std::size_t loop_count, std::unique_ptr<storage::LogStore> log_store, storage::MetadataStore& metadata,
            storage::Clock& clock)
        : loops(loop_count),
          metrics(loops.size()),
          store(std::move(log_store)),
          catalog(std::move(*StreamCatalog::Open(metadata, clock))),
          keyring({.catalog = *catalog, .clock = clock, .run_blocking = {}}, nullptr, {}),
          shards(loops, {.store = *store, .catalog = *catalog, .keyring = keyring}),
          appends(AppendService::New(shards, *store, metrics, clock, {})),
          reads(ReadService::New(shards, metrics, {})),
          resharder(shards, *catalog, clock) {}
    EventLoops loops;
    Metrics metrics;
    std::unique_ptr<storage::LogStore> store;
    std::unique_ptr<StreamCatalog> catalog;
    Keyring keyring;
    Shards shards;
    std::unique_ptr<AppendService> appends;
    std::unique_ptr<ReadService> reads;
    Resharder resharder;
  };

  void Stop(bool clean) {
    if (!running_) return;
    running_->shards.Stop();
    running_->loops.DrainBlocking();
    if (clean) CHECK(running_->store->Close().ok());
    running_->loops.Stop();
    running_.reset();
  }

  storage::Env& env_;
  const std::string dir_;
  const std::size_t loops_;
  SurvivingMetadata metadata_;
  std::unique_ptr<Running> running_;
};

/// Appends records "KEY/NUMBER" for its keys, several at a time, until it is told to stop or the broker fails.
class KeyedProducer {
 public:
  KeyedProducer(std::string name, int keys, std::uint64_t seed) : name_(std::move(name)), random_(seed) {
    for (int i = 0; i < keys; ++i) next_[name_ + "-" + std::to_string(i)] = 0;
  }

  /// `rounds` of eight records in flight. False where the broker has failed.
  bool Run(ReshardWorld& world, int rounds) {
    for (int round = 0; round < rounds; ++round) {
      std::deque<Record> window;
      for (int i = 0; i < 8; ++i) {
        auto key = std::next(next_.begin(), static_cast<std::ptrdiff_t>(random_() % next_.size()));
        window.push_back({key->first, key->second++});
      }
      if (!Send(world, std::move(window))) return false;
    }
    return true;
  }
  const std::map<std::string, std::uint64_t>& acknowledged() const { return acknowledged_; }  // how many of each key
  /// What has become of the records that were not answered: so many of each key are there.
  void GoOnAt(const std::map<std::string, std::uint64_t>& there) {
    for (auto& [key, next] : next_) {
      const auto found = there.find(key);
      next = found == there.end() ? 0 : found->second;
    }
  }

 private:
  struct Record {
    std::string key;
    std::uint64_t number;
  };

  /// All of them at once, each by the map of its moment; those that meet a closed shard again, in their order.
  bool Send(ReshardWorld& world, std::deque<Record> window) {
    while (!window.empty()) {
      const StreamPtr stream = world.stream();
      std::vector<std::future<Result<storage::Appended>>> answers;
      for (const Record& record : window) {
        protocol::BatchBuilder builder;
        builder.Add(1'700'000'000'000, record.key, record.key + "/" + std::to_string(record.number));
        std::string bytes;
        builder.Finish(bytes);
        protocol::FrameBuffer batch(bytes.size());
        bytes.copy(batch.batch().data(), bytes.size());
        answers.push_back(world.Append({stream->id, stream->shards.FindByPartitionKey(record.key)}, std::move(batch)));
      }
      std::deque<Record> again;
      bool failed = false;
      for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto answer = answers[i].get();
        if (answer) acknowledged_[window[i].key] = window[i].number + 1;
        if (!answer && answer.error().code() == Code::kShardClosed) again.push_back(window[i]);
        failed |= !answer && answer.error().code() != Code::kShardClosed;
      }
      if (failed) return false;
      window = std::move(again);
    }
    return true;
  }

  const std::string name_;
  std::mt19937_64 random_;
  std::map<std::string, std::uint64_t> next_;
  std::map<std::string, std::uint64_t> acknowledged_;
};

/// Reads all shards, as long as they are open, and notes where each closed one ended for it.
class Follower {
 public:
  /// Once through all shards. False where the broker has failed.
  bool Step(ReshardWorld& world) {
    const StreamPtr stream = world.stream();
    for (const ShardInfo& shard : stream->all_shards) {
      if (ended_.contains(shard.shard)) continue;
      Offset& next = next_[shard.shard];
      const auto read = world.Read({stream->id, shard.shard}, next);
      if (!read) return false;
      next = read->run.next;
      if (read->closed && next == read->end) ended_[shard.shard] = next;
    }
    return true;
  }
  void CheckEnds(ReshardWorld& world) const {
    for (const auto& [shard, end] : ended_) {
      INFO("shard " << shard.value);
      REQUIRE(world.log(shard)->durable_end() == end);
    }
  }

 private:
  std::map<ShardIndex, Offset> next_;
  std::map<ShardIndex, Offset> ended_;
};

/// One split, merge or new count, as the random numbers have it. One that another reshard or a failure refuses is fine.
inline void ReshardOnce(ReshardWorld& world, std::mt19937_64& random) {
  const StreamPtr stream = world.stream();
  const auto& ranges = stream->shards.ranges();
  const std::size_t at = random() % ranges.size();
  switch (random() % 5) {
    case 0:
      (void)world.resharder().Resize("orders", static_cast<std::uint32_t>(1 + random() % 6));
      return;
    case 1:
    case 2:
      if (at + 1 < ranges.size()) (void)world.resharder().Merge("orders", ranges[at].shard, ranges[at + 1].shard);
      return;
    default: {
      const protocol::HashKey inside{ranges[at].first.high + (ranges[at].last.high - ranges[at].first.high) / 2,
                                     random()};
      (void)world.resharder().Split("orders", ranges[at].shard, inside);
    }
  }
}

/// Reads every key's records from its first shard to its last, and checks that their numbers are 0, 1, 2 .. and that
/// their sequence numbers grow; and that closed shards end where the catalog says, but where `ends_known` is false.
/// Gives how many there are of each key.
inline std::map<std::string, std::uint64_t> ReadHistory(ReshardWorld& world, bool ends_known = true) {
  const StreamPtr stream = world.stream();
  std::map<std::string, std::uint64_t> seen;
  std::map<std::string, std::string> last_number;
  // By number: a child's is above its parents'.
  for (const ShardInfo& shard : stream->all_shards) {
    const auto log = world.log(shard.shard);
    INFO("shard " << shard.shard.value);
    if (shard.closed() && ends_known) REQUIRE(log->durable_end() == *shard.end);
    for (Offset at = log->oldest(); at < log->durable_end();) {
      const auto run = log->ReadBlocking(at, 1u << 20);
      REQUIRE(run.has_value());
      REQUIRE(run->next > at);
      at = run->next;
      for (const protocol::Frame& frame : run->frames) {
        std::string scratch;
        auto reader = protocol::BatchReader::Open(frame.batch(), scratch);
        REQUIRE(reader.has_value());
        const protocol::RecordView& record = **reader->Next();
        const std::string key(*record.key);
        const protocol::HashKey hash = protocol::HashPartitionKey(key);
        INFO("record " << *record.value);
        REQUIRE((shard.first <= hash && hash <= shard.last));
        REQUIRE(*record.value == key + "/" + std::to_string(seen[key]++));
        const std::string number = protocol::ToDecimal({.shard_created_s = shard.created_ms / 1'000,
                                                        .shard = shard.shard,
                                                        .offset = frame.base_offset(),
                                                        .record_time_s = frame.header().append_time_ms / 1'000});
        REQUIRE(number > last_number[key]);
        last_number[key] = number;
      }
    }
  }
  return seen;
}

}  // namespace sluice::broker
