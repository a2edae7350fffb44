// One option after the other.
#include "client/producer_options.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/batch.h"

namespace sluice::client {

Status Validate(const ProducerOptions& options) {
  const auto invalid = [](std::string text) { return Status(Code::kInvalidArgument, std::move(text)); };
  if (options.batch_bytes_max == 0 || options.batch_bytes_max > protocol::kBatchBytesMax) {
    return invalid(
        fmt::format("batch_bytes_max {} is not within 1 to {}", options.batch_bytes_max, protocol::kBatchBytesMax));
  }
  if (options.batches_in_flight_max == 0 || (options.idempotent && options.batches_in_flight_max > 5)) {
    return invalid(fmt::format("batches_in_flight_max {} is not within 1 to 5 (more only without idempotent)",
                               options.batches_in_flight_max));
  }
  if (options.delivery_timeout.count() <= 0) return invalid("delivery_timeout is not positive");
  if (options.linger.count() < 0) return invalid("linger is negative");
  if (options.buffer_bytes_max == 0) return invalid("buffer_bytes_max is 0");
  return {};
}

}  // namespace sluice::client
