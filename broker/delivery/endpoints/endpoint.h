// A service that takes records in requests, in place of the lake.
//
// A new one is a file pair behind this interface and a line in endpoint_registry.cc. What all have in common (what is
// in which request, trying again, the error output) is request_output.h's.
//
// Threads: one at a time. Calls block for about a second, or until the host is stopping: what takes longer is asked
// again (waiting_post.h). A crash leaves nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/delivery/processing/processor.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// Records that are sent together. The same in every attempt, also after a crash.
struct EndpointRequest {
  std::string id;             // a UUID
  std::int64_t made_ms = 0;   // when it was decided
  std::string_view uid = {};  // the delivery stream's
  std::span<const WorkRecord> records;
  std::string_view delimiter = {};    // where they stand one behind the other
  bool delimiter_after_last = false;  // or between them only
  std::string_view access_key = {};   // as it is now; empty: none
};

/// Why an attempt has failed, in Firehose's words.
struct RequestFailure {
  std::string code;
  std::string message;
  bool permanent = false;   // another attempt makes no sense
  bool unanswered = false;  // it was taken, and never acknowledged: that is no attempt in Firehose's error records
};

/// The same of one record, by its place in the request.
struct RecordFailure {
  std::size_t place = 0;
  RequestFailure failure;
};

/// What an attempt has come to; as it is: the service has taken all records.
struct SendOutcome {
  std::optional<RequestFailure> failure = {};  // it has taken none
  std::vector<RecordFailure> records = {};     // it has taken all but these, ascending
  std::int64_t ask_again_ms = 0;               // above 0: it has not said yet; Send once more after this time
  std::int64_t waited_ms = 0;                  // how long it had not said; does not count as time of retries
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;

  /// How much a record adds to the body of a request.
  virtual std::uint64_t BodyBytesOf(const RecordRef& record) const = 0;
  /// Before each Send: what it takes besides the request, such as keys that may have been replaced. An error says what
  /// is missing; Send is not to be called then, as nobody was asked.
  virtual Status Prepare() { return Status(); }
  /// One attempt, or one look at how an earlier one has ended.
  virtual SendOutcome Send(const EndpointRequest& request) = 0;
  /// What an error record of this kind of endpoint tells besides: names, and values as JSON.
  virtual std::vector<std::pair<std::string, std::string>> ErrorFields(const RecordRef& record,
                                                                       std::string_view uid) const {
    (void)record, (void)uid;
    return {};
  }
};

}  // namespace sluice::delivery
