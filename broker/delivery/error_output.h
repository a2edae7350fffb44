// The error records of one delivery, a JSON line each: in one error object for each error type that occurs, or where
// the delivery stream has a dead-letter stream, there. What is too large for a record of a stream is in error objects
// nevertheless.
//
// One thread at a time. Memory: what the spools buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/dead_letter_output.h"
#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/processing/processor.h"
#include "broker/delivery/record_source.h"
#include "sluice/status.h"

namespace sluice::delivery {

class ErrorOutput {
 public:
  /// All outlive it. `dead_letters`: nullptr where there is no dead-letter stream.
  ErrorOutput(const DeliveryTerms& terms, const Intent& intent, const SourceStream& stream, ObjectStore& objects,
              DeadLetterOutput* dead_letters);

  Status Add(const ProcessingFailure& failure);
  /// A failure's line, to be added later.
  Result<std::string> LineOf(const ProcessingFailure& failure) const;
  /// `line` is a failed record whose value is its line.
  Status AddLine(std::string_view error_type, const RecordRef& line);
  std::uint64_t records() const { return records_; }
  /// How many of each type.
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }
  /// Puts the objects into the lake and into `entry`; dead letters come last of all (DeadLetterOutput::Finish).
  Status Finish(LedgerEntry& entry);

 private:
  struct Object {
    std::unique_ptr<ObjectSpool> spool;
    std::uint64_t records = 0;
  };
  Result<Object*> ObjectOf(std::string_view error_type);

  const DeliveryTerms& terms_;
  const Intent& intent_;
  const SourceStream& stream_;
  ObjectStore& objects_;
  DeadLetterOutput* const dead_letters_;
  std::map<std::string, Object, std::less<>> by_type_;
  std::uint64_t records_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace sluice::delivery
