// The error objects of one delivery: one for each error type that occurs, a JSON line a record.
//
// One thread at a time. Memory: what the spools buffer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/delivery_terms.h"
#include "broker/delivery/object_store.h"
#include "broker/delivery/processing/processor.h"
#include "broker/delivery/record_source.h"
#include "sluice/status.h"

namespace sluice::delivery {

class ErrorOutput {
 public:
  /// All outlive it.
  ErrorOutput(const DeliveryTerms& terms, const Intent& intent, const SourceStream& stream, ObjectStore& objects);

  Status Add(const ProcessingFailure& failure);
  /// A failure's line, to be added later.
  Result<std::string> LineOf(const ProcessingFailure& failure) const;
  Status AddLine(std::string_view error_type, std::string_view line);
  std::uint64_t records() const { return records_; }
  /// How many of each type; after Finish.
  const std::map<std::string, std::uint64_t, std::less<>>& counts() const { return counts_; }
  /// Puts the objects into the lake and into `entry`.
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
  std::map<std::string, Object, std::less<>> by_type_;
  std::uint64_t records_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace sluice::delivery
