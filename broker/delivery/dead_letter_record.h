// A dead letter as a record of its stream: its value is the error record, a line of JSON without the break, and its
// headers are these (docs/delivery.md, "Dead-letter stream").
#pragma once

#include <algorithm>
#include <string_view>

#include "protocol/batch.h"

namespace sluice::delivery {

inline constexpr std::string_view kErrorTypeHeader = "sluice-error-type";
inline constexpr std::string_view kDeliveryStreamHeader = "sluice-delivery-stream";
inline constexpr std::string_view kShardHeader = "sluice-shard";        // of the record that failed,
inline constexpr std::string_view kOffsetHeader = "sluice-offset";      // in the delivery stream's source
inline constexpr std::string_view kDeliveryHeader = "sluice-delivery";  // "<uid>:<delivery>:<place>"

/// The value of a header; empty where there is none.
inline std::string_view HeaderOf(const protocol::RecordView& record, std::string_view key) {
  const auto found = std::ranges::find(record.headers, key, &protocol::HeaderView::key);
  return found == record.headers.end() ? std::string_view() : found->value.value_or("");
}

}  // namespace sluice::delivery
