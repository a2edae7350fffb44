// The metrics that applications have sent, as Prometheus shows them: of each metric of a namespace with its dimensions
// and unit the number of values, their sum, and the least and the greatest value of the last request. docs/metrics.md
// has the names.
//
// Their number is bounded, and the memory of their names. At the bound those that have been silent for an hour make
// room; what still does not fit is counted and dropped. Nothing survives a restart.
//
// Threads: any; own lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/metrics.h"
#include "storage/env/env.h"

namespace sluice::broker::cloudwatch {

/// Several values of one metric at one time.
struct Statistics {
  double samples = 0;
  double sum = 0;
  double least = 0;
  double greatest = 0;
};

/// Which metric: the labels that Prometheus shows, in order, each name once.
using SeriesName = MetricSink::Labels;

/// Labels of a metric; names of dimensions become "dimension_NAME" with what Prometheus allows.
SeriesName NameSeries(std::string_view metric_namespace, std::string_view metric, std::string_view unit,
                      const std::vector<std::pair<std::string_view, std::string_view>>& dimensions);

struct MetricLimits {
  std::size_t series_max = 10'000;
  std::size_t name_bytes_max = 16u << 20;    // of all labels
  std::int64_t silent_ms = 60 * 60 * 1'000;  // after which one may make room
};

class MetricTable {
 public:
  /// `clock` outlives it.
  explicit MetricTable(storage::Clock& clock, const MetricLimits& limits = {}) : clock_(clock), limits_(limits) {}

  void Add(const SeriesName& name, const Statistics& statistics);
  void Collect(MetricSink& sink) const;

 private:
  struct Series {
    Statistics total;  // least and greatest are the last ones
    std::int64_t told_ms = 0;
  };
  /// A scrape holds on to the names without the lock.
  using NamePtr = std::shared_ptr<const SeriesName>;
  struct Less {
    using is_transparent = void;
    static const SeriesName& Name(const NamePtr& name) { return *name; }
    static const SeriesName& Name(const SeriesName& name) { return name; }
    bool operator()(const auto& a, const auto& b) const { return Name(a) < Name(b); }
  };
  bool MakeRoom(std::size_t bytes, std::int64_t now_ms);

  storage::Clock& clock_;
  const MetricLimits limits_;
  mutable std::mutex mutex_;
  std::map<NamePtr, Series, Less> series_;  // guarded by mutex_, as all below
  std::size_t name_bytes_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t dropped_ = 0;
  std::int64_t cleaned_ms_ = INT64_MIN / 2;  // when silent ones were looked for
};

}  // namespace sluice::broker::cloudwatch
