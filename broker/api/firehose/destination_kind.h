// The kinds of destinations that the API serves. A delivery stream has one of them; what was given of it is kept under
// the name that it has in CreateDeliveryStream.
//
// A new kind is a file with its shapes, defaults and rules, and a line in destination_kind.cc. Thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "broker/api/firehose/destination.h"
#include "broker/api/firehose/json_tree.h"
#include "protocol/aws/error.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::firehose {

struct DestinationKind {
  std::string_view configuration;  // CreateDeliveryStream's member
  std::string_view update;         // UpdateDestination's
  bool joins_records = false;      // so that a delimiter means something
  bool keeps_backup = true;        // one that is on cannot be turned off
  const protocol::aws::Shape& (*configuration_shape)() = nullptr;
  const protocol::aws::Shape& (*update_shape)() = nullptr;
  /// With AWS's defaults where nothing was given.
  Json (*described)(const Json& destination) = nullptr;
  /// The members of a description that tell of what `described` gave, without secrets.
  void (*write)(const Json& described, protocol::aws::Writer& writer) = nullptr;
  /// What an update makes of it, which has the names of a configuration (AsConfiguration).
  Json (*merged)(Json destination, const Json& update) = nullptr;
  /// Contradictions, and what this broker does not serve.
  std::optional<protocol::aws::ApiError> (*check)(const Json& destination, NeedsTable needs_table) = nullptr;
};

std::span<const DestinationKind> DestinationKinds();

/// The kind of the destination that is kept in `given`, which has one.
const DestinationKind& KindOf(const Json& given);

}  // namespace sluice::broker::firehose
