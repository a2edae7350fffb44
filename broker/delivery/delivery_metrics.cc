// One series per delivery stream and number.
#include "broker/delivery/delivery_metrics.h"

#include <algorithm>

namespace sluice::delivery {
namespace {

double FreshnessSeconds(const DeliveryStatus& status, std::int64_t now_ms) {
  const std::int64_t oldest_ms =
      status.intent && status.intent->time_ms > 0 ? status.intent->time_ms : status.oldest_pending_ms;
  return oldest_ms == 0 ? 0.0 : static_cast<double>(std::max<std::int64_t>(0, now_ms - oldest_ms)) / 1000.0;
}

}  // namespace

void CollectDeliveryMetrics(const DeliveryManager& manager, storage::Clock& clock, broker::MetricSink& sink) {
  const std::int64_t now_ms = clock.WallMs();
  for (const auto& [name, status] : manager.Statuses()) {
    const broker::MetricSink::Labels labels = {{"delivery_stream", name}};
    const DeliveryTotals& totals = status.checkpoint.totals;
    const auto counter = [&](std::string_view metric, std::string_view help, std::uint64_t value) {
      sink.AddCounter(metric, help, static_cast<double>(value), labels);
    };
    counter("sluice_delivery_records_total", "Records that are in the lake or in the error output.", totals.records);
    counter("sluice_delivery_error_records_total",
            "Records that could not be processed or converted; in the error output.", totals.errors);
    counter("sluice_delivery_filtered_records_total", "Records that a processor dropped on purpose.", totals.filtered);
    counter("sluice_delivery_lost_records_total", "Records that were lost before they were delivered.", totals.lost);
    counter("sluice_delivery_overflow_fields_total", "Fields that did not fit their pinned type.",
            totals.overflow_fields);
    counter("sluice_delivery_objects_total", "Objects put into the lake.", totals.objects);
    counter("sluice_delivery_bytes_total", "Bytes of these objects.", totals.bytes_out);
    counter("sluice_delivery_failures_total", "Tries that failed and were made again.", status.failures);
    sink.AddGauge("sluice_delivery_lag_records", "Records that are not yet in the lake.",
                  static_cast<double>(status.lag_records), labels);
    sink.AddGauge("sluice_delivery_freshness_seconds", "Age of the oldest record that is not yet in the lake.",
                  FreshnessSeconds(status, now_ms), labels);
    sink.AddGauge("sluice_delivery_failing", "1 while the last try has failed.",
                  status.mode == DeliveryMode::kFailing ? 1 : 0, labels);
  }
}

}  // namespace sluice::delivery
