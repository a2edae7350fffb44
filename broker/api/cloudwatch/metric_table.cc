// Labels, bounds, and the scrape.
#include "broker/api/cloudwatch/metric_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::broker::cloudwatch {
namespace {

constexpr std::int64_t kCleaningsPerSilence = 60;

std::string LabelName(std::string_view dimension) {
  std::string name = "dimension_";
  for (const char c : dimension) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name;
}

std::size_t BytesOf(const SeriesName& name) {
  std::size_t bytes = 0;
  for (const auto& [label, value] : name) bytes += label.size() + value.size();
  return bytes;
}

}  // namespace

SeriesName NameSeries(std::string_view metric_namespace, std::string_view metric, std::string_view unit,
                      const std::vector<std::pair<std::string_view, std::string_view>>& dimensions) {
  SeriesName name = {
      {"namespace", std::string(metric_namespace)}, {"metric", std::string(metric)}, {"unit", std::string(unit)}};
  for (const auto& [dimension, value] : dimensions) {
    const std::string label = LabelName(dimension);
    std::string unique = label;
    for (int i = 2; std::ranges::find(name, unique, [](const auto& one) { return one.first; }) != name.end(); ++i) {
      unique = fmt::format("{}_{}", label, i);
    }
    name.emplace_back(std::move(unique), std::string(value));
  }
  return name;
}

void MetricTable::Add(const SeriesName& name, const Statistics& statistics) {
  const std::int64_t now_ms = clock_.WallMs();
  const std::lock_guard lock(mutex_);
  auto place = series_.find(name);
  if (place == series_.end()) {
    const std::size_t bytes = BytesOf(name);
    if (!MakeRoom(bytes, now_ms)) {
      ++dropped_;
      return;
    }
    name_bytes_ += bytes;
    place = series_.emplace(std::make_shared<const SeriesName>(name), Series{}).first;
  }
  Series& series = place->second;
  series.total.samples += statistics.samples;
  series.total.sum += statistics.sum;
  series.total.least = statistics.least;
  series.total.greatest = statistics.greatest;
  series.told_ms = now_ms;
  ++taken_;
}

bool MetricTable::MakeRoom(std::size_t bytes, std::int64_t now_ms) {
  const auto fits = [&] {
    return series_.size() < limits_.series_max && name_bytes_ + bytes <= limits_.name_bytes_max;
  };
  if (fits()) return true;
  if (now_ms - cleaned_ms_ < limits_.silent_ms / kCleaningsPerSilence) return false;
  cleaned_ms_ = now_ms;
  for (auto at = series_.begin(); at != series_.end();) {
    const bool silent = now_ms - at->second.told_ms >= limits_.silent_ms;
    if (silent) name_bytes_ -= BytesOf(*at->first);
    at = silent ? series_.erase(at) : std::next(at);
  }
  return fits();
}

void MetricTable::Collect(MetricSink& sink) const {
  std::vector<std::pair<NamePtr, Statistics>> all;
  std::unique_lock lock(mutex_);
  for (const auto& [name, series] : series_) all.emplace_back(name, series.total);
  const std::uint64_t taken = taken_;
  const std::uint64_t dropped = dropped_;
  lock.unlock();
  sink.AddCounter("sluice_cloudwatch_values_total", "Metrics that PutMetricData has taken.",
                  static_cast<double>(taken));
  sink.AddCounter("sluice_cloudwatch_dropped_total",
                  "Metrics that PutMetricData has dropped, because there were too many.", static_cast<double>(dropped));
  sink.AddGauge("sluice_cloudwatch_series", "Different metrics.", static_cast<double>(all.size()));
  for (const auto& [name, total] : all) {
    sink.AddCounter("sluice_cloudwatch_samples_total", "Values of an application's metric.", total.samples, *name);
    sink.AddGauge("sluice_cloudwatch_sum", "Sum of an application's metric.", total.sum, *name);
    sink.AddGauge("sluice_cloudwatch_minimum", "Least value that was told last.", total.least, *name);
    sink.AddGauge("sluice_cloudwatch_maximum", "Greatest value that was told last.", total.greatest, *name);
  }
}

}  // namespace sluice::broker::cloudwatch
