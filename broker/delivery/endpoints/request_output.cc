// Cutting, sending, giving up.
#include "broker/delivery/endpoints/request_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "broker/delivery/endpoints/retry_pause.h"
#include "broker/delivery/error_record.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kWordsMax = 1000;  // different messages of a delivery
constexpr std::string_view kOthers = "as others of this delivery, whose messages are told";

/// An endpoint may send back in its words what was sent to it.
void Hide(std::string_view access_key, SendOutcome& outcome) {
  const auto hide = [&](RequestFailure& failure) {
    failure.message = WithoutSecret(std::move(failure.message), access_key);
  };
  if (outcome.failure) hide(*outcome.failure);
  for (RecordFailure& record : outcome.records) hide(record.failure);
}

/// The connection of the delivery before, unless another endpoint is configured now.
Status Connect(const DeliveryConfig& config, const EndpointKind& kind, ProcessorHost& host) {
  if (host.endpoint != nullptr && host.endpoint_config == config.endpoint) return Status();
  if (Status status = CheckEndpoint(config.endpoint, host.settings); !status.ok()) return status;
  host.endpoint = kind.make(config, host);
  host.endpoint_config = config.endpoint;
  return Status();
}

}  // namespace

RequestOutput::RequestOutput(const ObjectParts& parts, const StagingParts& staging, ProcessorHost& host)
    : parts_(parts),
      staging_(staging),
      host_(host),
      config_(parts.terms.config.endpoint),
      kind_(*FindEndpointKind(config_.type)),
      progress_(host.requests),
      known_(parts.intent.refused.has_value()),
      record_bytes_max_(parts.terms.config.size_mb << 20) {}

Status RequestOutput::Open() {
  if (Status status = Connect(parts_.terms.config, kind_, host_); !status.ok()) return status;
  std::string delivery = RequestId(parts_.intent, 0);
  if (progress_.delivery != delivery) progress_ = {.delivery = std::move(delivery)};
  return Status();
}

Status RequestOutput::Records(std::span<const RecordRef> records, std::span<const WorkRecord> work) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::uint64_t body_bytes = host_.endpoint->BodyBytesOf(records[i]);
    const bool full = request_.records.size() >= kind_.records_max || record_bytes_ >= record_bytes_max_ ||
                      body_bytes_ + body_bytes > kind_.body_bytes_max;
    if (full && !request_.records.empty()) {
      if (Status status = Settle(); !status.ok()) return status;
    }
    Add(records[i], work.empty() ? nullptr : &work[i]);
    record_bytes_ += records[i].value.size();
    body_bytes_ += body_bytes;
  }
  return Status();
}

void RequestOutput::Add(const RecordRef& record, const WorkRecord* work) {
  request_.Add(record);
  const bool changed = work != nullptr && work->source.data() != record.value.data();
  if (changed) request_.records.back().source = request_.Keep(work->source);
}

Status RequestOutput::Settle() {
  if (!known_ && number_ >= progress_.settled) {
    if (Status status = Send(); !status.ok()) return status;
    ++progress_.settled;
    progress_.attempts = 0;
    progress_.left.clear();
  }
  const std::uint64_t errors_before = parts_.errors.records();
  for (const RefusedRequest& refused : known_ ? *parts_.intent.refused : progress_.refused) {
    if (refused.request != number_) continue;
    if (Status status = Refuse(refused); !status.ok()) return status;
  }
  sent_ += request_.records.size() - (parts_.errors.records() - errors_before);
  request_.Clear();
  record_bytes_ = 0;
  body_bytes_ = 0;
  ++number_;
  return Status();
}

std::vector<WorkRecord> RequestOutput::Left() const {
  std::vector<WorkRecord> left;
  for (const std::uint32_t place : progress_.left) left.push_back(request_.records.at(place));
  return left;
}

std::size_t RequestOutput::Attempted() const {
  return progress_.left.empty() ? request_.records.size() : progress_.left.size();
}

/// Returns when the request has come to its end.
Status RequestOutput::Send() {
  const std::string id = RequestId(parts_.intent, number_);
  const DeliveryConfig& delivery = parts_.terms.config;
  // Who cannot be asked has not refused anything: that is no try.
  if (Status status = host_.endpoint->Prepare(); !status.ok()) return status;
  const Result<std::string> access_key = AccessKeyOf(config_, host_.settings);
  if (!access_key) return access_key.error();
  const std::vector<WorkRecord> left = Left();
  SendOutcome outcome =
      host_.endpoint->Send({.id = id,
                            .made_ms = parts_.intent.decided_ms,
                            .uid = parts_.intent.uid,
                            .records = left.empty() ? std::span<const WorkRecord>(request_.records) : left,
                            .delimiter = delivery.delimiter,
                            .delimiter_after_last = delivery.delimiter_after_last,
                            .access_key = *access_key});
  Hide(*access_key, outcome);
  if (outcome.failure && host_.stopping())  // what was cut off is no try
    return Status(Code::kUnavailable, outcome.failure->message);
  if (outcome.ask_again_ms > 0) {
    host_.ask_again_ms = outcome.ask_again_ms;
    return Status(Code::kUnavailable, "the endpoint has not said yet whether it takes the records");
  }
  progress_.failing_since_ms += outcome.waited_ms;
  ++progress_.attempts;
  if (outcome.failure) return TakeFailure(*outcome.failure);
  return TakeRecordFailures(outcome.records);
}

Status RequestOutput::TakeFailure(const RequestFailure& failure) {
  if (!failure.permanent) {
    if (Status status = TryLater(failure, Attempted()); !status.ok()) return status;
  }
  GiveUp(failure, progress_.left);
  return Status();
}

/// Who takes some of the records is there: only those that it wants to have later are tried again.
Status RequestOutput::TakeRecordFailures(std::span<const RecordFailure> failures) {
  if (failures.size() < Attempted()) progress_.failing = false;  // it has taken the others
  std::vector<RecordFailure> permanent, later;
  for (RecordFailure failure : failures) {
    if (!progress_.left.empty()) failure.place = progress_.left[failure.place];
    (failure.failure.permanent ? permanent : later).push_back(std::move(failure));
  }
  GiveUpEach(permanent);
  if (later.empty()) {
    progress_.failing = false;
    return Status();
  }
  progress_.left.clear();
  for (const RecordFailure& failure : later) progress_.left.push_back(static_cast<std::uint32_t>(failure.place));
  if (Status status = TryLater(later.front().failure, later.size()); !status.ok()) return status;
  GiveUpEach(later);
  return Status();
}

/// An error where there is time for another attempt.
Status RequestOutput::TryLater(const RequestFailure& failure, std::size_t records) {
  const std::int64_t now_ms = NowMs();
  if (!progress_.failing) progress_.failing_since_ms = now_ms;
  progress_.failing = true;
  const auto retry_ms = static_cast<std::int64_t>(config_.retry_s) * 1000;
  const std::int64_t left_ms = progress_.failing_since_ms + retry_ms - now_ms;
  if (left_ms <= 0) return Status();
  host_.retry_in_ms = std::min(left_ms, RetryPauseMs(progress_.attempts, RequestId(parts_.intent, number_)));
  return Status(Code::kUnavailable,
                fmt::format("the endpoint has not taken {} records, which go to the error output in {} s unless it "
                            "does: {}: {}",
                            records, (left_ms + 999) / 1000, failure.code, failure.message));
}

void RequestOutput::GiveUp(const RequestFailure& failure, std::vector<std::uint32_t> records) {
  progress_.refused.push_back({.request = number_,
                               .records = std::move(records),
                               .code = failure.code,
                               .message = failure.message,
                               .attempts = failure.unanswered ? 0 : progress_.attempts,
                               .ended_ms = staging_.env.clock().WallMs()});
}

/// Those with the same words together; what is stored of a delivery has a bound.
void RequestOutput::GiveUpEach(std::span<const RecordFailure> failures) {
  std::map<std::pair<std::string, std::string>, std::vector<std::uint32_t>> by_words;
  for (const RecordFailure& each : failures) {
    const bool room = progress_.refused.size() + by_words.size() < kWordsMax;
    by_words[{each.failure.code, room ? each.failure.message : std::string(kOthers)}].push_back(
        static_cast<std::uint32_t>(each.place));
  }
  for (auto& [words, places] : by_words) GiveUp({.code = words.first, .message = words.second}, std::move(places));
}

Status RequestOutput::Refuse(const RefusedRequest& refused) {
  Status status;
  if (refused.records.empty()) {
    for (const WorkRecord& work : request_.records) {
      if (status.ok()) status = RefuseOne(work, refused);
    }
  }
  for (const std::uint32_t place : refused.records) {
    if (place >= request_.records.size()) return Status(Code::kCorruption, "a refused record is in no request");
    if (status.ok()) status = RefuseOne(request_.records[place], refused);
  }
  return status;
}

Status RequestOutput::RefuseOne(const WorkRecord& work, const RefusedRequest& refused) {
  RecordRef source = work.record;
  source.value = work.source;
  return parts_.errors.Add({.record = source,
                            .error_type = kind_.error_type,
                            .code = refused.code,
                            .message = refused.message,
                            .attempts = refused.attempts,
                            .ended_ms = refused.ended_ms,
                            .fields = host_.endpoint->ErrorFields(work.record, parts_.intent.uid)});
}

Status RequestOutput::Finish(LedgerEntry& entry) {
  if (!request_.records.empty()) {
    if (Status status = Settle(); !status.ok()) return status;
  }
  if (!known_ && parts_.errors.records() > 0) {
    Status status = staging_.change_intent([this](Intent& intent) { intent.refused = progress_.refused; });
    if (!status.ok()) return status;
  }
  entry.sent = sent_;
  return parts_.errors.Finish(entry);
}

}  // namespace sluice::delivery
