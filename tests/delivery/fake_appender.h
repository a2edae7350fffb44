// Streams in memory that a delivery stream appends to: with other producers, splits, losses, and appends that fail.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/delivery/stream_appender.h"
#include "storage/env/memory_env.h"

namespace sluice::delivery {

/// One record as it is stored.
struct FakeRecord {
  std::optional<std::string> key = {};
  std::string value = {};
  std::map<std::string, std::string> headers = {};
  bool lost = false;  // by the log, and given up, or removed by retention
};

/// What lasts over the starts of a broker. Each stream has one open shard; a split closes it and opens the next one.
class FakeStreams {
 public:
  using Shard = std::vector<FakeRecord>;
  struct Stream {
    StreamId id;
    std::vector<Shard> shards = {{}};
  };
  enum class Fault : std::uint8_t { kNone, kBefore, kAfter };  // an append that fails: before it is done, or after it

  void Create(const std::string& name) { streams_[name] = {.id = StreamId(next_id_++)}; }
  void Delete(const std::string& name) { streams_.erase(name); }
  void Split(const std::string& name) { streams_.at(name).shards.emplace_back(); }
  /// Of somebody else, into the open shard.
  void Append(const std::string& name, FakeRecord record) {
    streams_.at(name).shards.back().push_back(std::move(record));
  }
  bool Has(const std::string& name) const { return streams_.contains(name); }
  const Stream& at(const std::string& name) const { return streams_.at(name); }
  Stream& at(const std::string& name) { return streams_.at(name); }
  /// Of all shards.
  std::vector<FakeRecord> Records(const std::string& name) const {
    std::vector<FakeRecord> all;
    for (const Shard& shard : streams_.at(name).shards) {
      for (const FakeRecord& record : shard) {
        if (!record.lost) all.push_back(record);
      }
    }
    return all;
  }

  void FailAppend(int nth, Fault fault) {
    left_ = nth;
    fault_ = fault;
    failures = 0;
  }

  int appends = 0;   // batches
  int failures = 0;  // since FailAppend
  std::uint64_t record_bytes_max = 64u << 10;
  Status unreadable = {};  // why nothing can be read
  std::function<void()> before_append = [] {};

 private:
  friend class FakeAppender;
  const std::pair<const std::string, Stream>* Find(StreamId id) const {
    const auto found = std::ranges::find(streams_, id, [](const auto& each) { return each.second.id; });
    return found == streams_.end() ? nullptr : &*found;
  }
  std::map<std::string, Stream> streams_;
  std::uint32_t next_id_ = 100;
  int left_ = 0;
  Fault fault_ = Fault::kNone;
};

class FakeAppender final : public StreamAppender {
 public:
  FakeAppender(FakeStreams& streams, storage::MemoryEnv& env) : streams_(streams), env_(env) {}

  Result<AppendPlace> Find(std::string_view stream, std::string_view) override {
    const auto found = streams_.streams_.find(std::string(stream));
    if (found == streams_.streams_.end())
      return Error(Code::kNotFound, fmt::format("stream '{}' does not exist", stream));
    const auto& [id, shards] = found->second;
    return AppendPlace{{id, ShardIndex(static_cast<std::uint32_t>(shards.size() - 1))}, Offset(shards.back().size())};
  }

  Result<Offset> Append(ShardId shard, std::string_view batch) override {
    streams_.before_append();
    const auto* const found = streams_.Find(shard.stream);
    if (!env_.powered() || found == nullptr) return Error(Code::kNotFound, "the stream is gone");
    FakeStreams::Stream& stream = streams_.streams_.at(found->first);
    if (shard.index.value + 1 != stream.shards.size()) return Error(Code::kShardClosed, "the shard was split");
    const bool fails = streams_.left_ > 0 && --streams_.left_ == 0;
    if (fails) ++streams_.failures;
    if (fails && streams_.fault_ == FakeStreams::Fault::kBefore) return Error(Code::kIoError, "failed on demand");
    const Offset first(stream.shards.back().size());
    if (Status status = Store(batch, stream.shards.back()); !status.ok()) return Error(std::move(status));
    ++streams_.appends;
    if (fails) return Error(Code::kIoError, "failed on demand, but done");
    return first;
  }

  Status Read(ShardId shard, Offset from, Offset to, const Visitor& visitor) override {
    const auto* const found = streams_.Find(shard.stream);
    if (found == nullptr) return Status(Code::kNotFound, "the stream is gone");
    const FakeStreams::Shard& records = found->second.shards.at(shard.index.value);
    if (from.value > records.size()) return Status(Code::kOutOfRange, "the shard ends before");
    if (!streams_.unreadable.ok()) return streams_.unreadable;
    for (std::size_t i = from.value; i < records.size() && i < to.value; ++i) {
      if (records[i].lost) continue;
      protocol::RecordView view{.key = records[i].key, .value = records[i].value, .headers = {}};
      for (const auto& [key, value] : records[i].headers) view.headers.push_back({key, value});
      if (Status status = visitor(Offset(i), view); !status.ok()) return status;
    }
    return Status();
  }

  std::uint64_t record_bytes_max() const override { return streams_.record_bytes_max; }

 private:
  static Status Store(std::string_view batch, FakeStreams::Shard& shard) {
    std::string scratch;
    if (const auto header = protocol::VerifyBatch(batch); !header) return header.error();
    Result<protocol::BatchReader> reader = protocol::BatchReader::Open(batch, scratch);
    if (!reader) return reader.error();
    for (;;) {
      const Result<const protocol::RecordView*> record = reader->Next();
      if (!record) return record.error();
      if (*record == nullptr) return Status();
      FakeRecord& stored = shard.emplace_back();
      if ((*record)->key) stored.key.emplace(*(*record)->key);
      stored.value = (*record)->value.value_or("");
      for (const protocol::HeaderView& each : (*record)->headers)
        stored.headers.emplace(each.key, each.value.value_or(""));
    }
  }

  FakeStreams& streams_;
  storage::MemoryEnv& env_;
};

}  // namespace sluice::delivery
