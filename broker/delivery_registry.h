// Delivery streams as values, for doors that tell of them and change them in words of their own. The delivery stage
// implements it.
//
// Threads: Find and All from any thread, without blocking; the rest blocks, and from any thread but the event loops'.
// One change at a time, those of DeliveryControl too. What a change answers is durable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::broker {

using DeliveryTags = std::map<std::string, std::string>;

/// What a delivery stream is at one time.
struct DeliveryInfo {
  std::string name;
  StreamId source;  // the stream that is read; of direct put a hidden one of its own
  std::string source_name;
  bool direct_put = true;
  std::uint32_t version = 1;  // of the configuration, tags apart; one up with every change
  std::int64_t created_ms = 0;
  std::int64_t changed_ms = 0;  // when the configuration was changed last; 0: never
  DeliveryTags tags;
  std::string config;  // canonical JSON, in the shape of a delivery stream's file
  std::string given;   // by the door that made or changed it last, for itself; empty: by none
};
using DeliveryInfoPtr = std::shared_ptr<const DeliveryInfo>;

/// What a delivery stream is to be.
struct DeliveryDraft {
  std::string document;  // as a delivery stream's file has it
  std::string given;     // is kept as it is
};

class DeliveryRegistry {
 public:
  virtual ~DeliveryRegistry() = default;

  /// nullptr where there is none of this name.
  virtual DeliveryInfoPtr Find(std::string_view name) const = 0;
  /// By name.
  virtual std::vector<DeliveryInfoPtr> All() const = 0;

  /// kAlreadyExists where there is one of its name; kNotFound where its source is not there; kInvalidArgument and
  /// kUnimplemented for a draft that cannot be, with one line for each reason.
  virtual Result<DeliveryInfoPtr> Make(const DeliveryDraft& draft) = 0;
  /// `edit` says what the delivery stream is to be, from what it is then; nullopt: that. An error of `edit` is the
  /// answer. A draft that says the same changes nothing, also not the version. kFailedPrecondition for a change that
  /// cannot be made to one that exists; else as Make.
  using Editor = std::function<Result<std::optional<DeliveryDraft>>(const DeliveryInfo&)>;
  virtual Result<DeliveryInfoPtr> Edit(std::string_view name, const Editor& edit) = 0;
  /// The version stays as it is. `edit` changes the tags; its error is the answer.
  using TagEditor = std::function<Status(DeliveryTags&)>;
  virtual Status EditTags(std::string_view name, const TagEditor& edit) = 0;
  /// Deletes it, and with one of direct put also what it has not delivered.
  virtual Status Discard(std::string_view name) = 0;
};

}  // namespace sluice::broker
