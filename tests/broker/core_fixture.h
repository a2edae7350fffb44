// The broker's core over a fake log: what the tests of services and doors start from.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <string_view>

#include "broker/append_service.h"
#include "broker/loop/event_loops.h"
#include "broker/metrics.h"
#include "broker/read_service.h"
#include "broker/reshard.h"
#include "broker/retention_holds.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "storage/env/posix_env.h"
#include "storage/metadata_store.h"
#include "tests/broker/fake_log_store.h"

namespace sluice::broker {

/// A batch of `records` records with keys "k" and the given value.
inline std::string BatchOf(int records, std::string_view value = "value") {
  protocol::BatchBuilder builder;
  for (int i = 0; i < records; ++i) builder.Add(1'700'000'000'000 + i, "k", value);
  std::string batch;
  builder.Finish(batch);
  return batch;
}

inline protocol::FrameBuffer BufferOf(std::string_view bytes) {
  protocol::FrameBuffer buffer(bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.batch().begin());
  return buffer;
}

struct Core {
  explicit Core(std::size_t loop_count = 1, AppendOptions append_options = {}, ReadOptions read_options = {},
                std::unique_ptr<KeyProvider> master_keys = nullptr)
      : append_limits(append_options),
        loops(loop_count),
        metrics(loops.size()),
        keyring({.catalog = *catalog, .clock = env->clock(), .run_blocking = {}}, std::move(master_keys), {}),
        shards(loops, {.store = store, .catalog = *catalog, .keyring = keyring}),
        appends(AppendService::New(shards, store, metrics, env->clock(), append_options)),
        reads(ReadService::New(shards, metrics, read_options)) {}
  ~Core() { StopLoops(); }

  void StopLoops() {
    if (!stopped) shards.Stop();
    stopped = true;
    loops.Stop();
  }

  /// Runs `task` on a loop and waits for it.
  void OnLoop(std::size_t index, std::move_only_function<void()> task) {
    std::promise<void> done;
    loops.loop(index).Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::future<Result<storage::Appended>> Append(std::size_t loop, ShardId shard, std::string_view batch,
                                                storage::AckMode ack = storage::AckMode::kDurable) {
    auto promise = std::make_shared<std::promise<Result<storage::Appended>>>();
    auto future = promise->get_future();
    loops.loop(loop).Post([this, loop, shard, ack, buffer = BufferOf(batch), promise]() mutable {
      appends->Append(loops.loop(loop), {shard.stream, shard.index, ack, std::move(buffer)},
                      [promise](const Result<storage::Appended>& result) { promise->set_value(result); });
    });
    return future;
  }

  std::future<Result<ReadAnswer>> Read(std::size_t loop, ReadRequest request) {
    auto promise = std::make_shared<std::promise<Result<ReadAnswer>>>();
    auto future = promise->get_future();
    loops.loop(loop).Post([this, loop, request, promise] {
      reads->Read(loops.loop(loop), request, [this, loop, promise](Result<ReadAnswer> answer) {
        promise->set_value(loops.loop(loop).InLoop() ? std::move(answer)
                                                     : Error(Code::kInternal, "not on the caller's loop"));
      });
    });
    return future;
  }

  ShardId ShardOf(const StreamPtr& stream, std::uint32_t index = 0) { return {stream->id, ShardIndex(index)}; }

  const AppendOptions append_limits;
  std::unique_ptr<storage::Env> env = storage::NewPosixEnv();
  std::unique_ptr<storage::MetadataStore> metadata = storage::NewMemoryMetadataStore();
  FakeLogStore store;
  std::unique_ptr<StreamCatalog> catalog = std::move(*StreamCatalog::Open(*metadata, env->clock()));
  EventLoops loops;
  RetentionHolds holds;
  Metrics metrics;
  Keyring keyring;
  Shards shards;
  std::unique_ptr<AppendService> appends;
  std::unique_ptr<ReadService> reads;
  Resharder resharder{shards, *catalog, env->clock()};
  bool stopped = false;
};

}  // namespace sluice::broker
