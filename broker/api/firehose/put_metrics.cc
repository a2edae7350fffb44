// Counting under one lock: a request costs far more.
#include "broker/api/firehose/put_metrics.h"

#include <string_view>

#include "protocol/check.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::array<std::string_view, PutMetrics::kOperations> kOperationNames = {"PutRecord", "PutRecordBatch"};

}  // namespace

void PutMetrics::Count(const std::string& delivery_stream, Operation operation, const std::vector<std::size_t>& bytes,
                       const aws::PutResults& results) {
  SLUICE_CHECK(bytes.size() == results.size());
  const std::lock_guard lock(mutex_);
  Counts& counts = by_stream_[delivery_stream];
  ++counts.requests[static_cast<std::size_t>(operation)];
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].appended) {
      ++counts.refused;
      continue;
    }
    ++counts.records;
    counts.bytes += bytes[i];
  }
}

void PutMetrics::Collect(const DeliveryRegistry& deliveries, MetricSink& sink) {
  const std::lock_guard lock(mutex_);
  const std::vector<DeliveryInfoPtr> all = deliveries.All();  // with every one that was counted by now and exists
  std::map<std::string, Counts, std::less<>> existing;
  for (const DeliveryInfoPtr& info : all) {
    if (!info->direct_put) continue;
    const Counts& counts = existing[info->name] = by_stream_[info->name];
    const MetricSink::Labels labels = {{"delivery_stream", info->name}};
    for (std::size_t i = 0; i < kOperations; ++i) {
      sink.AddCounter("sluice_firehose_put_requests_total", "Requests to put that were answered.",
                      static_cast<double>(counts.requests[i]),
                      {{"delivery_stream", info->name}, {"operation", std::string(kOperationNames[i])}});
    }
    sink.AddCounter("sluice_firehose_put_records_total", "Records taken.", static_cast<double>(counts.records), labels);
    sink.AddCounter("sluice_firehose_put_bytes_total", "Bytes of these records.", static_cast<double>(counts.bytes),
                    labels);
    sink.AddCounter("sluice_firehose_put_refused_records_total", "Records not taken: no space, a missing key, a bound.",
                    static_cast<double>(counts.refused), labels);
  }
  by_stream_ = std::move(existing);
}

}  // namespace sluice::broker::firehose
