// What PutRecord and PutRecordBatch have taken and refused, for each delivery stream, since the broker started.
//
// Threads: any. Memory: a few numbers for each delivery stream that was put to and still exists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "broker/api/aws/put.h"
#include "broker/delivery_registry.h"
#include "broker/metrics.h"

namespace sluice::broker::firehose {

class PutMetrics {
 public:
  enum class Operation : std::uint8_t { kPutRecord, kPutRecordBatch };
  static constexpr std::size_t kOperations = 2;

  /// One request; `bytes` of its records, in their order.
  void Count(const std::string& delivery_stream, Operation operation, const std::vector<std::size_t>& bytes,
             const aws::PutResults& results);

  /// Of every delivery stream of direct put; those that are gone are forgotten.
  void Collect(const DeliveryRegistry& deliveries, MetricSink& sink);

 private:
  struct Counts {
    std::array<std::uint64_t, kOperations> requests{};
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t refused = 0;
  };

  std::mutex mutex_;
  std::map<std::string, Counts, std::less<>> by_stream_;  // guarded by mutex_
};

}  // namespace sluice::broker::firehose
