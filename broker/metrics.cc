// From the loops' counters to Prometheus' metric families and their text form.
#include "broker/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

namespace sluice::broker {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily& FamilyOf(std::vector<MetricFamily>& families, std::string_view name, std::string_view help,
                       MetricType type) {
  const auto known = std::ranges::find(families, name, &MetricFamily::name);
  if (known != families.end()) return *known;
  return families.emplace_back(MetricFamily{std::string(name), std::string(help), type, {}});
}

ClientMetric Labelled(const MetricSink::Labels& labels) {
  ClientMetric metric;
  for (const auto& [key, value] : labels) metric.label.push_back({key, value});
  return metric;
}

// Adds one histogram up over `histograms`.
ClientMetric::Histogram Sum(const std::vector<const LatencyHistogram*>& histograms) {
  constexpr double kNsPerSecond = 1e9;
  ClientMetric::Histogram sum;
  for (std::size_t bucket = 0; bucket <= kLatencyBoundsNs.size(); ++bucket) {
    for (const LatencyHistogram* histogram : histograms) sum.sample_count += histogram->count(bucket);
    const double bound = bucket < kLatencyBoundsNs.size() ? static_cast<double>(kLatencyBoundsNs[bucket]) / kNsPerSecond
                                                          : std::numeric_limits<double>::infinity();
    sum.bucket.push_back({.cumulative_count = sum.sample_count, .upper_bound = bound});
  }
  for (const LatencyHistogram* histogram : histograms) {
    sum.sample_sum += static_cast<double>(histogram->sum_ns()) / kNsPerSecond;
  }
  return sum;
}

void AddHistogram(std::vector<MetricFamily>& families, std::string_view name, std::string_view help,
                  ClientMetric::Histogram histogram) {
  ClientMetric metric;
  metric.histogram = std::move(histogram);
  FamilyOf(families, name, help, MetricType::Histogram).metric.push_back(std::move(metric));
}

}  // namespace

void MetricSink::AddGauge(std::string_view name, std::string_view help, double value, const Labels& labels) {
  ClientMetric metric = Labelled(labels);
  metric.gauge.value = value;
  FamilyOf(families_, name, help, MetricType::Gauge).metric.push_back(std::move(metric));
}

void MetricSink::AddCounter(std::string_view name, std::string_view help, double value, const Labels& labels) {
  ClientMetric metric = Labelled(labels);
  metric.counter.value = value;
  FamilyOf(families_, name, help, MetricType::Counter).metric.push_back(std::move(metric));
}

Metrics::Metrics(std::size_t loops) : loops_(loops), registry_(std::make_shared<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

void Metrics::RecordCommit(std::int64_t latency_ns) {
  const std::lock_guard lock(mutex_);
  commit_latency_.Record(latency_ns);
}

void Metrics::AddSource(Source source) {
  const std::lock_guard lock(mutex_);
  sources_.push_back(std::move(source));
}

void Metrics::CollectLoops(std::vector<MetricFamily>& families) const {
  MetricSink sink(families);
  const auto sum = [&](Counter LoopMetrics::* counter) {
    double total = 0;
    for (const LoopMetrics& loop : loops_) total += static_cast<double>((loop.*counter).value());
    return total;
  };
  sink.AddCounter("sluice_append_batches_total", "Batches acknowledged.", sum(&LoopMetrics::append_batches));
  sink.AddCounter("sluice_append_records_total", "Records acknowledged.", sum(&LoopMetrics::append_records));
  sink.AddCounter("sluice_append_bytes_total", "Bytes of batches acknowledged.", sum(&LoopMetrics::append_bytes));
  sink.AddCounter("sluice_append_refused_total", "Batches refused.", sum(&LoopMetrics::append_refused));
  sink.AddCounter("sluice_append_duplicates_total", "Batches that an idempotent producer sent again.",
                  sum(&LoopMetrics::append_duplicates));
  sink.AddCounter("sluice_reads_total", "Reads answered.", sum(&LoopMetrics::reads));
  sink.AddCounter("sluice_read_bytes_total", "Bytes of frames given to readers.", sum(&LoopMetrics::read_bytes));
  sink.AddCounter("sluice_reads_failed_total", "Reads answered with an error.", sum(&LoopMetrics::reads_failed));
  sink.AddGauge("sluice_long_polls", "Reads that wait for a record.",
                sum(&LoopMetrics::long_polls_started) - sum(&LoopMetrics::long_polls_ended));
  sink.AddCounter("sluice_connections_total", "Connections accepted.", sum(&LoopMetrics::connections_opened));
  sink.AddGauge("sluice_connections", "Open connections.",
                sum(&LoopMetrics::connections_opened) - sum(&LoopMetrics::connections_closed));
  sink.AddCounter("sluice_connections_refused_total", "Connections closed because there were too many.",
                  sum(&LoopMetrics::connections_refused));
  sink.AddCounter("sluice_protocol_errors_total", "Connections ended because of what came in.",
                  sum(&LoopMetrics::protocol_errors));
  std::vector<const LatencyHistogram*> appends;
  for (const LoopMetrics& loop : loops_) appends.push_back(&loop.append_latency);
  AddHistogram(families, "sluice_append_latency_seconds", "From the request to its acknowledgement.", Sum(appends));
}

std::string Metrics::Render() const {
  std::vector<MetricFamily> families;
  CollectLoops(families);
  {
    const std::lock_guard lock(mutex_);
    AddHistogram(families, "sluice_commit_latency_seconds", "Write and flush of one group of batches.",
                 Sum({&commit_latency_}));
    MetricSink sink(families);
    for (const Source& source : sources_) source(sink);
  }
  for (MetricFamily& family : registry_->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace sluice::broker
