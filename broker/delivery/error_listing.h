// What failed and why: the error records of a delivery stream that were not delivered since, in error objects and in
// dead-letter streams, counted by their reasons, with samples. docs/delivery.md has the answer's fields.
//
// It is told in pages of some places each, as there may be very many; who asks adds them up by type, code and message.
//
// Threads: any; the reader's rules count. Memory: what the answer has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_state.h"
#include "broker/delivery/error_source.h"
#include "sluice/status.h"

namespace sluice::delivery {

struct ErrorListingRequest {
  ErrorFilter filter;
  std::uint64_t samples = 0;  // of each reason
  std::string from = {};      // the `next` of the page before; empty: the first one
};
/// Which error records are to be delivered again.
struct ReplayCall {
  ErrorFilter filter;
  std::uint64_t number = 0;  // of a replay that was not done when its call ended; 0: a new one
};
/// kInvalidArgument says what is wrong.
Result<ReplayCall> ReplayCallFromJson(std::string_view json);
Result<ErrorListingRequest> ErrorListingRequestFromJson(std::string_view json);

/// One page as JSON. Messages are told without the values that differ from record to record.
Result<std::string> ListErrors(ErrorReader& reader, const std::string& name, const std::vector<LedgerEntry>& ledger,
                               const ErrorListingRequest& request);

}  // namespace sluice::delivery
