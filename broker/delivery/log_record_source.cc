// Asks the read service and waits; unpacks batches into records.
#include "broker/delivery/log_record_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/delivery/waiting_read.h"
#include "protocol/batch.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

class LogRecordSource : public RecordSource {
 public:
  LogRecordSource(broker::ReadService& reads, const broker::StreamCatalog& catalog, StreamId stream,
                  const std::atomic<bool>& stopping)
      : reads_(reads), catalog_(catalog), stream_(stream), stopping_(stopping) {}

  Result<SourceStream> Describe() override {
    const Result<broker::StreamPtr> found = catalog_.Find(stream_);
    if (!found) return Error(found.error());
    SourceStream stream{(*found)->id, (*found)->name, {}};
    stream.shards.reserve((*found)->all_shards.size());
    for (const broker::ShardInfo& shard : (*found)->all_shards) {
      SourceShard& out = stream.shards.emplace_back(shard.shard, shard.created_ms);
      if (shard.parent) out.parents.push_back(*shard.parent);
      if (shard.adjacent_parent) out.parents.push_back(*shard.adjacent_parent);
      out.end = shard.end;
    }
    return stream;
  }

  Result<Offset> Resolve(ShardIndex shard, const StartPosition& start) override {
    broker::ReadFrom from = broker::FromLatest{};
    if (start.kind == StartPosition::Kind::kOldest) from = broker::FromOldest{};
    if (start.kind == StartPosition::Kind::kTime) from = broker::FromTime{start.time_ms};
    const Result<broker::ReadAnswer> answer = Ask(shard, from, 1);
    if (!answer) return Error(answer.error());
    return answer->first;
  }

  Result<ReadProgress> Read(ShardIndex shard, Offset from, Offset to, std::uint64_t bytes_max,
                            const Visitor& visitor) override {
    SLUICE_CHECK(from <= to);
    const Result<broker::ReadAnswer> answer = Ask(shard, from, bytes_max);
    if (!answer) return Error(answer.error());
    ReadProgress progress{from, answer->oldest, answer->end};
    if (answer->first > from) {
      progress.next = std::min(answer->first, to);
      progress.given_up = true;
      return progress;
    }
    for (const protocol::Frame& frame : answer->run.frames) {
      if (progress.next >= to) break;
      if (Status status = ReadFrame(shard, frame, to, visitor, progress); !status.ok()) return Error(std::move(status));
    }
    return progress;
  }

  Result<ReadProgress> Bounds(ShardIndex shard) override {
    const Result<broker::ReadAnswer> answer = Ask(shard, broker::FromLatest{}, 1);
    if (!answer) return Error(answer.error());
    return ReadProgress{answer->first, answer->oldest, answer->end};
  }

 private:
  Result<broker::ReadAnswer> Ask(ShardIndex shard, broker::ReadFrom from, std::uint64_t bytes_max) {
    broker::ReadRequest request{.stream = stream_, .shard = shard, .from = from, .bytes_max = bytes_max};
    return WaitingRead(reads_, std::move(request), stopping_);
  }

  Status ReadFrame(ShardIndex shard, const protocol::Frame& frame, Offset to, const Visitor& visitor,
                   ReadProgress& progress) {
    Result<protocol::BatchReader> reader = protocol::BatchReader::Open(frame.batch(), scratch_);
    if (!reader) return reader.error();
    records_.clear();
    const Offset first = progress.next;
    for (;;) {
      const Result<const protocol::RecordView*> record = reader->Next();
      if (!record) return record.error();
      if (*record == nullptr) break;
      const Offset offset = frame.base_offset() + static_cast<std::uint64_t>((*record)->offset_delta);
      if (offset < first || offset >= to) continue;
      const std::string_view value = (*record)->value.value_or(std::string_view());
      records_.push_back(
          {value, (*record)->key.value_or(std::string_view()), shard, offset, frame.header().append_time_ms});
      progress.bytes += value.size();
    }
    progress.next = std::min(frame.end_offset(), to);
    progress.records += records_.size();
    return records_.empty() ? Status() : visitor(records_);
  }

  broker::ReadService& reads_;
  const broker::StreamCatalog& catalog_;
  StreamId stream_;
  const std::atomic<bool>& stopping_;
  std::string scratch_;
  std::vector<RecordRef> records_;
};

}  // namespace

const SourceShard* SourceStream::Find(ShardIndex shard) const {
  const auto found = std::ranges::lower_bound(shards, shard, {}, &SourceShard::shard);
  return found != shards.end() && found->shard == shard ? &*found : nullptr;
}

std::unique_ptr<RecordSource> NewLogRecordSource(broker::ReadService& reads, const broker::StreamCatalog& catalog,
                                                 StreamId stream, const std::atomic<bool>& stopping) {
  return std::make_unique<LogRecordSource>(reads, catalog, stream, stopping);
}

}  // namespace sluice::delivery
