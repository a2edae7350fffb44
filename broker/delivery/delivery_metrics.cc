// One series per delivery stream and number, and for some of them one per error type or processor.
#include "broker/delivery/delivery_metrics.h"

#include "broker/delivery/error_record.h"

namespace sluice::delivery {
namespace {

/// Of one delivery stream.
class Series {
 public:
  Series(const std::string& name, broker::MetricSink& sink) : sink_(sink), labels_{{"delivery_stream", name}} {}

  void Counter(std::string_view metric, std::string_view help, double value) {
    sink_.AddCounter(metric, help, value, labels_);
  }
  void Counter(std::string_view metric, std::string_view help, std::uint64_t value) {
    Counter(metric, help, static_cast<double>(value));
  }
  void Gauge(std::string_view metric, std::string_view help, double value) {
    sink_.AddGauge(metric, help, value, labels_);
  }
  /// The same with one more label.
  Series With(std::string_view label, std::string_view value) const {
    Series series(*this);
    series.labels_.emplace_back(label, value);
    return series;
  }

 private:
  broker::MetricSink& sink_;
  broker::MetricSink::Labels labels_;
};

/// Since the creation of the delivery stream.
void CollectTotals(const Checkpoint& checkpoint, Series& series) {
  const DeliveryTotals& totals = checkpoint.totals;
  series.Counter("sluice_delivery_records_total",
                 "Records that are in the lake, taken by an endpoint or in the error output.", totals.records);
  series.Counter("sluice_delivery_bytes_in_total", "Bytes of these records, as they were put.", totals.bytes_in);
  series.Counter("sluice_delivery_user_records_total",
                 "The same records, with what aggregates and processors made of each in its place.",
                 totals.user_records);
  series.Counter("sluice_delivery_rows_total", "Rows in the lake.", totals.rows);
  series.Counter("sluice_delivery_error_records_total",
                 "Records that could not be processed, converted or sent; in the error output.", totals.errors);
  series.Counter("sluice_delivery_replayed_records_total", "Error records that were delivered again.", totals.replayed);
  series.Counter("sluice_delivery_filtered_records_total", "Records that a processor dropped on purpose.",
                 totals.filtered);
  series.Counter("sluice_delivery_sent_records_total", "Records that an endpoint has taken.", totals.sent);
  series.Counter("sluice_delivery_loaded_rows_total", "Rows that were loaded into a cluster.", totals.loaded_rows);
  series.Counter("sluice_delivery_skipped_rows_total", "Rows whose load was given up; in errors/manifests.",
                 totals.skipped_rows);
  series.Counter("sluice_delivery_lost_records_total", "Records that were lost before they were delivered.",
                 totals.lost);
  series.Counter("sluice_delivery_overflow_fields_total", "Fields that did not fit their pinned type.",
                 totals.overflow_fields);
  series.Counter("sluice_delivery_deliveries_total", "Deliveries done.", checkpoint.next_seq - 1);
  series.Counter("sluice_delivery_objects_total", "Objects put into the lake.", totals.objects);
  series.Counter("sluice_delivery_bytes_total", "Bytes of these objects.", totals.bytes_out);
  series.Counter("sluice_delivery_backup_records_total", "Source records in the backup.", totals.backup_records);
  series.Counter("sluice_delivery_backup_objects_total", "Objects of the backup.", totals.backup_objects);
  series.Counter("sluice_delivery_backup_bytes_total", "Bytes of these objects.", totals.backup_bytes);
}

/// Since the broker started.
void CollectCounts(const DeliveryCounts& counts, Series& series) {
  std::map<std::string, std::uint64_t, std::less<>> errors = counts.builds.errors;
  for (const std::string_view type : kErrorTypes) errors.try_emplace(std::string(type));
  for (const auto& [type, records] : errors) {
    series.With("type", type)
        .Counter("sluice_delivery_failed_records_total", "Error records, by the type that their key says.", records);
  }
  series.Gauge("sluice_delivery_partitions", "Partitions of the last delivery.",
               static_cast<double>(counts.builds.partitions));
  series.Counter("sluice_delivery_over_partitions_records_total",
                 "Records in the error output because a delivery had too many partitions.",
                 counts.builds.over_partitions_max);
  series.Gauge("sluice_delivery_partition_bytes_per_second",
               "Bytes of the largest partition of the last delivery, over the time in which its records came.",
               counts.builds.partition_bytes_per_s);
  for (const auto& [type, work] : counts.processors.by_type) {
    Series of_processor = series.With("processor", type);
    of_processor.Counter("sluice_delivery_processing_seconds_total", "Time in a processor.",
                         static_cast<double>(work.ns) / 1e9);
    of_processor.Counter("sluice_delivery_processing_batches_total", "Batches that it was given.", work.batches);
  }
  series.Counter("sluice_delivery_lambda_calls_total", "Calls of the Lambda, tries that failed among them.",
                 counts.processors.lambda_calls);
  series.Counter("sluice_delivery_lambda_failures_total", "Calls without an answer, or with one that is none.",
                 counts.processors.lambda_failures);
  series.Counter("sluice_delivery_lambda_records_total", "Records that the Lambda gave back with Ok.",
                 counts.processors.lambda_records);
  series.Counter("sluice_delivery_lambda_bytes_total", "Bytes of these records.", counts.processors.lambda_bytes);
}

}  // namespace

void CollectDeliveryMetrics(const DeliveryManager& manager, storage::Clock& clock, broker::MetricSink& sink) {
  const std::int64_t now_ms = clock.WallMs();
  for (const auto& [name, status] : manager.Statuses()) {
    Series series(name, sink);
    CollectTotals(status.checkpoint, series);
    CollectCounts(status.counts, series);
    series.Counter("sluice_delivery_failures_total", "Tries that failed and were made again.", status.failures);
    series.Gauge("sluice_delivery_lag_records", "Records that are not yet in the lake.",
                 static_cast<double>(status.lag_records));
    series.Gauge("sluice_delivery_freshness_seconds", "Age of the oldest record that is not yet in the lake.",
                 static_cast<double>(status.FreshnessMs(now_ms)) / 1000.0);
    series.Gauge("sluice_delivery_failing", "1 while the last try has failed.",
                 status.mode == DeliveryMode::kFailing ? 1 : 0);
  }
}

}  // namespace sluice::delivery
