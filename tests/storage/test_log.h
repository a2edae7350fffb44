// A LogStore over MemoryEnv with one loop that the test drives, and short words for what tests do with it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "protocol/batch.h"
#include "storage/env/memory_env.h"
#include "storage/log_store.h"
#include "tests/catch.h"
#include "tests/storage/manual_loop.h"

namespace sluice::storage {

inline constexpr ShardId kShardA{StreamId(1), ShardIndex(0)};
inline constexpr ShardId kShardB{StreamId(1), ShardIndex(1)};

/// Small files, and no step that a clock starts: runs are the same each time.
inline LogStoreOptions SmallOptions() {
  return {.journal_file_bytes = 64u << 10,
          .journal_bytes_max = 1u << 20,
          .segment_bytes = 32u << 10,
          .tail_bytes_max = 1u << 20,
          .write_behind_bytes = 4u << 10};
}

struct Producer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t sequence = -1;
};

/// One batch of `count` records that all hold `value`.
inline protocol::FrameBuffer MakeBatch(std::string_view value, int count = 1, Producer producer = {}) {
  protocol::BatchBuilder builder;
  if (producer.id >= 0) builder.SetProducer(ProducerId(producer.id), producer.epoch, producer.sequence);
  for (int i = 0; i < count; ++i) builder.Add(1'700'000'000'000, "key", value);
  std::string bytes;
  builder.Finish(bytes);
  protocol::FrameBuffer buffer(bytes.size());
  bytes.copy(buffer.batch().data(), bytes.size());
  return buffer;
}

/// The values of all records of a run.
inline std::vector<std::string> Values(const FrameRun& run) {
  std::vector<std::string> values;
  for (const protocol::Frame& frame : run.frames) {
    std::string scratch;
    auto reader = protocol::BatchReader::Open(frame.batch(), scratch);
    REQUIRE(reader.has_value());
    while (true) {
      auto record = reader->Next();
      REQUIRE(record.has_value());
      if (*record == nullptr) break;
      values.emplace_back((*record)->value.value_or(""));
    }
  }
  return values;
}

/// Everything that can be read from `from` on.
inline std::vector<std::string> ReadAll(ShardLog& log, std::optional<Offset> from = std::nullopt) {
  std::vector<std::string> values;
  for (Offset at = from.value_or(log.oldest()); at < log.durable_end();) {
    auto run = log.ReadBlocking(at, 8 << 10);
    INFO(log.durable_end().value << " " << at.value << " " << (run ? "" : run.error().ToString()));
    REQUIRE(run.has_value());
    REQUIRE_FALSE(run->frames.empty());
    REQUIRE(run->next > at);
    for (std::string& value : Values(*run)) values.push_back(std::move(value));
    at = run->next;
  }
  return values;
}

/// Waits for another thread of the store; ten seconds mean that it will never be so.
template <typename Condition>
void Await(Condition condition) {
  for (int i = 0; i < 10'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  REQUIRE(condition());
}

class TestLog {
 public:
  explicit TestLog(MemoryEnv& env, LogStoreOptions options = SmallOptions()) : env_(env), options_(options) {}

  Status TryOpen() {
    Kill();
    report = {};
    auto store = LogStore::Open(env_, "/data", options_, &report);
    if (!store) return store.error();
    store_ = std::move(*store);
    writer_ = store_->NewWriter(loop);
    return {};
  }
  void Open() {
    const Status status = TryOpen();
    INFO(status.ToString());
    REQUIRE(status.ok());
  }
  /// As a killed process: no flush, no checkpoint.
  void Kill() {
    writer_.reset();
    store_.reset();
    loop.Forget();
  }
  Status Close() {
    loop.RunReady();
    Status status = store_->Close();
    loop.RunReady();
    Kill();
    return status;
  }

  LogStore& store() { return *store_; }
  LogWriter& writer() { return *writer_; }
  std::shared_ptr<ShardLog> shard(ShardId id = kShardA) { return store_->OpenShard(id); }

  using Answer = Result<Appended>;
  /// Appends and leaves the answer in the returned place when it comes.
  std::shared_ptr<std::optional<Answer>> Start(protocol::FrameBuffer batch, ShardId id = kShardA,
                                               AckMode ack = AckMode::kDurable) {
    auto answer = std::make_shared<std::optional<Answer>>();
    const auto header = protocol::ParseBatchHeader(batch.batch_view());
    REQUIRE(header.has_value());
    writer_->Append(*shard(id), std::move(batch), *header, ack, [answer](const Answer& got) {
      REQUIRE_FALSE(answer->has_value());
      *answer = got;
    });
    return answer;
  }
  Answer Append(protocol::FrameBuffer batch, ShardId id = kShardA, AckMode ack = AckMode::kDurable) {
    const auto answer = Start(std::move(batch), id, ack);
    REQUIRE(loop.RunUntil([&] { return answer->has_value(); }));
    return **answer;
  }
  Answer Append(std::string_view value, ShardId id = kShardA) { return Append(MakeBatch(value), id); }
  /// Appends values that must be acknowledged.
  void AppendAll(const std::vector<std::string>& values, ShardId id = kShardA) {
    for (const std::string& value : values) {
      const Answer answer = Append(value, id);
      INFO((answer ? "" : answer.error().ToString()));
      REQUIRE(answer.has_value());
    }
  }

  ManualLoop loop;
  RecoveryReport report;

 private:
  MemoryEnv& env_;
  const LogStoreOptions options_;
  std::unique_ptr<LogStore> store_;
  std::unique_ptr<LogWriter> writer_;
};

}  // namespace sluice::storage
