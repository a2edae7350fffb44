// Store statistics, and the size of each stream.
#include "broker/store_metrics.h"

namespace sluice::broker {
namespace {

void CollectStreams(storage::LogStore& store, const StreamCatalog& catalog, MetricSink& sink) {
  std::size_t shards = 0;
  std::size_t damaged = 0;
  const auto streams = catalog.List();
  for (const StreamPtr& stream : streams) {
    double bytes = 0;
    double records = static_cast<double>(stream->records_forgotten);
    for (const ShardInfo& shard : stream->all_shards) {
      const auto log = store.OpenShard({stream->id, shard.shard});
      bytes += static_cast<double>(log->retained_bytes());
      records += static_cast<double>(log->durable_end().value);
      if (log->damage().open()) ++damaged;
    }
    shards += stream->shards.ranges().size();
    sink.AddGauge("sluice_stream_retained_bytes", "Bytes of a stream that can be read.", bytes,
                  {{"stream", stream->name}});
    sink.AddCounter("sluice_stream_records_total", "Records of a stream that are durable, since its creation.", records,
                    {{"stream", stream->name}});
  }
  sink.AddGauge("sluice_streams", "Streams.", static_cast<double>(streams.size()));
  sink.AddGauge("sluice_shards", "Open shards of all streams.", static_cast<double>(shards));
  sink.AddGauge("sluice_damaged_shards", "Shards with lost records that nobody has looked at and accepted.",
                static_cast<double>(damaged));
}

}  // namespace

void CollectStoreMetrics(storage::LogStore& store, const StreamCatalog& catalog, MetricSink& sink) {
  const storage::LogStoreStats stats = store.stats();
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    sink.AddGauge(name, help, static_cast<double>(value));
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    sink.AddCounter(name, help, static_cast<double>(value));
  };
  counter("sluice_commits_total", "Groups of batches made durable.", stats.commits);
  counter("sluice_commit_bytes_total", "Bytes made durable.", store.commit_bytes());
  counter("sluice_checkpoints_total", "Checkpoints.", stats.checkpoints);
  gauge("sluice_tail_bytes", "Records kept in memory for readers.", stats.tail_bytes);
  gauge("sluice_unwritten_bytes", "Durable records that are not in a segment yet.", stats.unwritten_bytes);
  gauge("sluice_journal_bytes", "Journal bytes that still hold the only durable copy.", stats.journal_bytes);
  gauge("sluice_segment_bytes", "Bytes of all segments.", stats.segment_bytes);
  gauge("sluice_writable", "1, or 0 when writing has ended after a failed flush.", stats.writable ? 1 : 0);
  gauge("sluice_overloaded", "1 while appends wait for memory or disk.", store.overloaded() || stats.disk_full ? 1 : 0);
  gauge("sluice_disk_full", "1 while appends are refused because the disk is full.", stats.disk_full ? 1 : 0);
  CollectStreams(store, catalog, sink);
}

}  // namespace sluice::broker
