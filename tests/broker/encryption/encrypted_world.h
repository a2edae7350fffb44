// The broker's core over a real log in memory, with a key file there: for histories of encryption, restarts and
// crashes.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/append_service.h"
#include "broker/encryption/key_file.h"
#include "broker/encryption/keyring.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "broker/read_service.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "protocol/batch.h"
#include "protocol/check.h"
#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "storage/metadata_store.h"
#include "tests/catch.h"

namespace sluice::broker {

// The keys are those of the bytes 00 01 .. 1f and ff fe .. e0.
inline constexpr std::string_view kFirstKey = "first AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
inline constexpr std::string_view kSecondKey = "second //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n";

class EncryptedWorld {
 public:
  explicit EncryptedWorld(std::size_t loops = 1, EncryptionOptions options = {.key_file = "/keys"})
      : loops_(loops), options_(std::move(options)) {
    SetKeys(kFirstKey);
    Start();
    SLUICE_CHECK(running_->catalog->Create("orders", 2, {}).has_value());
  }
  ~EncryptedWorld() { Stop(true); }

  /// The key file from the next start on; empty: none is configured.
  void SetKeys(std::string_view keys) {
    env_.WriteByHand("/keys", keys);
    options_.key_file = keys.empty() ? "" : "/keys";
  }
  void Restart() {
    Stop(true);
    Start();
  }
  /// As the end of a process, and of the machine's power.
  void Crash() {
    env_.PowerOff();
    Stop(false);
    env_.PowerOn();
    Start();
  }

  Result<storage::Appended> Append(std::string_view batch, std::uint32_t shard = 0) {
    std::promise<Result<storage::Appended>> appended;
    EventLoop& loop = running_->loops.loop(0);
    protocol::FrameBuffer buffer(batch.size());
    std::ranges::copy(batch, buffer.batch().begin());
    loop.Post([&] {
      running_->appends->Append(loop, {.stream = stream()->id, .shard = ShardIndex(shard), .batch = std::move(buffer)},
                                [&](const auto& result) { appended.set_value(result); });
    });
    return appended.get_future().get();
  }
  Result<ReadAnswer> Read(ReadFrom from = FromOldest{}, std::uint32_t shard = 0) {
    std::promise<Result<ReadAnswer>> answer;
    EventLoop& loop = running_->loops.loop(0);
    loop.Post([&] {
      running_->reads->Read(loop, {.stream = stream()->id, .shard = ShardIndex(shard), .from = from},
                            [&](Result<ReadAnswer> read) { answer.set_value(std::move(read)); });
    });
    return answer.get_future().get();
  }
  /// One read gives what is in memory, or what is in one segment: goes on to the end.
  Result<ReadAnswer> ReadToEnd() {
    Result<ReadAnswer> all = Read();
    while (all && all->run.next < all->end) {
      auto more = Read(all->run.next);
      if (!more) return more;
      for (protocol::Frame& frame : more->run.frames) all->run.frames.push_back(std::move(frame));
      all->run.bytes += more->run.bytes;
      all->run.next = more->run.next;
    }
    return all;
  }
  /// What stands in the log, sealed as it is.
  std::vector<protocol::Frame> Stored() {
    const auto log = running_->store->OpenShard({stream()->id, ShardIndex(0)});
    std::vector<protocol::Frame> frames;
    for (Offset at = log->oldest(); at < log->durable_end();) {
      auto run = log->ReadBlocking(at, 64u << 20);
      REQUIRE(run.has_value());
      REQUIRE(run->next > at);
      for (protocol::Frame& frame : run->frames) frames.push_back(std::move(frame));
      at = run->next;
    }
    return frames;
  }
  /// Whether any file has these bytes.
  bool DiskHas(std::string_view bytes) {
    for (const std::string dir : {"/data/journal", "/data/segments"}) {
      const auto names = env_.List(dir);
      if (!names) continue;
      for (const std::string& name : *names) {
        if (env_.ReadByHand(dir + "/" + name).find(bytes) != std::string::npos) return true;
      }
    }
    return false;
  }

  StreamPtr stream() { return *running_->catalog->Find("orders"); }
  StreamCatalog& catalog() { return *running_->catalog; }
  Keyring& keyring() { return *running_->keyring; }
  Shards& shards() { return *running_->shards; }
  storage::MemoryEnv& env() { return env_; }
  storage::MetadataStore& metadata() { return *metadata_; }
  /// Waits for what runs off the loops.
  void DrainBlocking() { running_->loops.DrainBlocking(); }

 private:
  struct Running {
    explicit Running(std::size_t loop_count) : loops(loop_count), metrics(loops.size()) {}
    EventLoops loops;
    Metrics metrics;
    std::unique_ptr<storage::LogStore> store;
    std::unique_ptr<StreamCatalog> catalog;
    std::unique_ptr<Keyring> keyring;
    std::unique_ptr<Shards> shards;
    std::unique_ptr<AppendService> appends;
    std::unique_ptr<ReadService> reads;
  };

  void Start() {
    running_ = std::make_unique<Running>(loops_);
    Running& now = *running_;
    const storage::LogStoreOptions options{.journal_file_bytes = 1u << 20,
                                           .journal_bytes_max = 16u << 20,
                                           .segment_bytes = 256u << 10,
                                           .write_behind_bytes = 4u << 10};
    auto store = storage::LogStore::Open(env_, "/data", options, nullptr);
    REQUIRE(store.has_value());
    now.store = std::move(*store);
    now.catalog = std::move(*StreamCatalog::Open(*metadata_, env_.clock()));
    std::unique_ptr<KeyProvider> provider;
    if (!options_.key_file.empty()) provider = std::move(*OpenKeyFile(env_, options_.key_file));
    now.keyring = std::make_unique<Keyring>(
        KeyringParts{.catalog = *now.catalog,
                     .clock = env_.clock(),
                     .run_blocking = [&now](auto task) { now.loops.RunBlocking(std::move(task)); }},
        std::move(provider), options_);
    now.shards = std::make_unique<Shards>(
        now.loops, ShardsParts{.store = *now.store, .catalog = *now.catalog, .keyring = *now.keyring});
    now.appends = AppendService::New(*now.shards, *now.store, now.metrics, env_.clock(), {});
    now.reads = ReadService::New(*now.shards, now.metrics, {});
  }
  void Stop(bool clean) {
    running_->shards->Stop();
    running_->loops.DrainBlocking();
    const Status closed = running_->store->Close();
    CHECK((closed.ok() || !clean));
    running_->loops.Stop();
    running_.reset();
  }

  const std::size_t loops_;
  EncryptionOptions options_;
  storage::MemoryEnv env_;
  std::unique_ptr<storage::MetadataStore> metadata_ = storage::NewMemoryMetadataStore();
  std::unique_ptr<Running> running_;
};

/// One record, "canary-KEY" and the value, in whatever compression.
inline std::string BatchOf(std::string_view value, protocol::Compression compression = protocol::Compression::kNone) {
  protocol::BatchBuilder builder(compression);
  builder.Add(1'700'000'000'000, "canary-key", value);
  std::string batch;
  builder.Finish(batch);
  return batch;
}

}  // namespace sluice::broker
