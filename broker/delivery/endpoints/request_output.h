// Records that go to an endpoint instead of the lake: cut into requests, sent one after another, and put into the error
// output where they were not taken.
//
//     for each request of the delivery, in order:
//       what has become of it is known (stored, or from an earlier try)?   nothing is sent
//       taken                                                              counted
//       not said yet                                                       the delivery goes on with it later
//       some records not taken                                             the same of these, the others are counted
//       not taken, and RetryOptions are not over                           the try of the delivery ends, and asks to be
//                                                                          made again after 1 s, 2 s, .. 120 s
//       not taken, and they are over (or it makes no sense)                given up: its records are errors
//     some records are errors?    INTENT is stored again, with what was given up     (one synced transaction)
//     error objects               as always
//
// Which records are in which request, its id and its bytes follow from intent and records. A delivery that is made
// again in the same process goes on with the request that was not taken; after a crash all are sent again, under their
// ids. What was given up is stored before the first error object is written, so that these have the same bytes then.
//
// No thread is held between two attempts, nor by a slow answer. RetryOptions count from the first failure behind a
// success, which is also that some records are taken: an endpoint that is away costs a delivery of many requests that
// time once, and one attempt for each of the others.
//
// One thread at a time. Memory: a request's records and its body, which stays until it is answered.
#pragma once

#include <cstdint>
#include <string>

#include "broker/delivery/data_output.h"
#include "broker/delivery/endpoints/endpoint.h"
#include "broker/delivery/endpoints/endpoint_registry.h"
#include "broker/delivery/endpoints/request_progress.h"
#include "broker/delivery/processing/processor_host.h"
#include "broker/delivery/staged_output.h"
#include "sluice/status.h"

namespace sluice::delivery {

class RequestOutput final : public DeliveryOutput {
 public:
  /// All outlive it; the configuration has an endpoint.
  RequestOutput(const ObjectParts& parts, const StagingParts& staging, ProcessorHost& host);

  Status Open() override;
  Status Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) override;
  Status Failed(const ProcessingFailure& failure) override { return parts_.errors.Add(failure); }
  Status Finish(LedgerEntry& entry) override;

 private:
  void Add(const RecordRef& record, const WorkRecord* work);
  /// Ends the request in hand and begins the next one.
  Status Settle();
  Status Send();
  /// Its records that are not taken yet.
  std::vector<WorkRecord> Left() const;
  std::size_t Attempted() const;
  Status TakeFailure(const RequestFailure& failure);
  Status TakeRecordFailures(std::span<const RecordFailure> failures);
  Status TryLater(const RequestFailure& failure, std::size_t records);
  void GiveUp(const RequestFailure& failure, std::vector<std::uint32_t> records);
  void GiveUpEach(std::span<const RecordFailure> failures);
  /// Records that were given up become errors.
  Status Refuse(const RefusedRequest& refused);
  Status RefuseOne(const WorkRecord& work, const RefusedRequest& refused);
  std::int64_t NowMs() const { return staging_.env.clock().MonotonicNs() / 1'000'000; }

  const ObjectParts& parts_;
  const StagingParts& staging_;
  ProcessorHost& host_;
  const EndpointConfig& config_;
  const EndpointKind& kind_;
  RequestProgress& progress_;
  const bool known_;  // what became of the requests is in the intent
  const std::uint64_t record_bytes_max_;
  WorkBatch request_;  // in hand
  std::uint64_t record_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t sent_ = 0;
};

}  // namespace sluice::delivery
