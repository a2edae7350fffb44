// What a delivery stream is to be, as the delivery stage reads it, out of what the API was given. What was given is
// kept beside it as one document: CreateDeliveryStream's input without name and tags, with an S3 destination as
// ExtendedS3DestinationConfiguration. Thread-safe.
#pragma once

#include <string_view>

#include "broker/api/aws/operation.h"
#include "broker/api/firehose/json_tree.h"
#include "broker/delivery_registry.h"

namespace sluice::broker::firehose {

inline constexpr std::string_view kKinesisMember = "KinesisStreamSourceConfiguration";
inline constexpr std::string_view kDirectPutMember = "DirectPutSourceConfiguration";
inline constexpr std::string_view kKinesisType = "KinesisStreamAsSource";
inline constexpr std::string_view kDirectPutType = "DirectPut";

/// The document that was kept; of a delivery stream that a file has made, what its configuration is in this form.
Json GivenOf(const DeliveryInfo& info);

/// Of a new delivery stream.
DeliveryDraft NewDraft(std::string_view name, const Json& given, const DeliveryTags& tags);
/// Of one that exists. What goes beyond Firehose (a file's "Sluice") stays.
DeliveryDraft ChangedDraft(const DeliveryInfo& info, const Json& given);

}  // namespace sluice::broker::firehose
