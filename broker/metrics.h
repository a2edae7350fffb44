// What the broker counts, and how it is shown: Prometheus text. docs/metrics.md lists every name.
//
// Hot paths write to the LoopMetrics of their own event loop, with plain loads and stores and no lock; a scrape adds
// the loops up. Everything that exists anyway (store statistics, number of streams) is asked for at the scrape through
// sources. Parts with counters of their own (the delivery stage) put them in the registry.
//
// Threads: LoopMetrics one writer each, readers anywhere; Metrics any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Registry;
struct MetricFamily;
}  // namespace prometheus

namespace sluice::broker {

/// A number that only grows; one thread writes it.
class Counter {
 public:
  void Add(std::uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Upper ends of the latency buckets; the last bucket has none.
inline constexpr std::array<std::int64_t, 17> kLatencyBoundsNs = {
    50'000,     100'000,    150'000,    200'000,     300'000,     500'000,     1'000'000,     2'000'000,    5'000'000,
    10'000'000, 20'000'000, 50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};

/// Latencies in buckets; one thread writes it.
class LatencyHistogram {
 public:
  void Record(std::int64_t latency_ns) {
    std::size_t bucket = 0;
    while (bucket < kLatencyBoundsNs.size() && latency_ns > kLatencyBoundsNs[bucket]) ++bucket;
    counts_[bucket].Add();
    sum_ns_.Add(static_cast<std::uint64_t>(latency_ns > 0 ? latency_ns : 0));
  }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  std::uint64_t sum_ns() const { return sum_ns_.value(); }

 private:
  std::array<Counter, kLatencyBoundsNs.size() + 1> counts_;
  Counter sum_ns_;
};

/// What one event loop counts.
struct alignas(64) LoopMetrics {
  Counter append_batches;  // acknowledged
  Counter append_records;
  Counter append_bytes;
  Counter append_refused;
  Counter append_duplicates;
  LatencyHistogram append_latency;  // from the door's call to the acknowledgement
  Counter reads;
  Counter read_bytes;
  Counter reads_failed;
  Counter long_polls_started;
  Counter long_polls_ended;
  Counter connections_opened;
  Counter connections_closed;
  Counter connections_refused;  // over the limit
  Counter protocol_errors;      // connections ended because of what came in
};

/// Takes the values of a scrape.
class MetricSink {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  explicit MetricSink(std::vector<prometheus::MetricFamily>& families) : families_(families) {}
  void AddGauge(std::string_view name, std::string_view help, double value, const Labels& labels = {});
  void AddCounter(std::string_view name, std::string_view help, double value, const Labels& labels = {});

 private:
  std::vector<prometheus::MetricFamily>& families_;
};

class Metrics {
 public:
  using Source = std::function<void(MetricSink&)>;

  explicit Metrics(std::size_t loops);
  ~Metrics();

  LoopMetrics& loop(std::size_t index) { return loops_.at(index); }
  /// Called by the log store on any committing thread.
  void RecordCommit(std::int64_t latency_ns);
  /// `source` is called at every scrape, on the scraping thread; what it reads must live as long as scrapes come.
  void AddSource(Source source);
  prometheus::Registry& registry() { return *registry_; }

  /// The Prometheus text of everything.
  std::string Render() const;

 private:
  void CollectLoops(std::vector<prometheus::MetricFamily>& families) const;

  std::deque<LoopMetrics> loops_;  // constant after construction; the elements have their own rules
  std::shared_ptr<prometheus::Registry> registry_;
  mutable std::mutex mutex_;
  LatencyHistogram commit_latency_;  // guarded by mutex_
  std::vector<Source> sources_;      // guarded by mutex_
};

}  // namespace sluice::broker
