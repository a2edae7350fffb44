// Tags of delivery streams, as operations read them. Thread-safe.
#pragma once

#include "broker/delivery_registry.h"
#include "protocol/aws/document.h"

namespace sluice::broker::firehose {

inline constexpr std::size_t kTagsMax = 50;  // of one delivery stream

/// The tags of a list of maps with Key and Value; a later one of the same key counts.
DeliveryTags ReadTags(protocol::aws::Value list);

}  // namespace sluice::broker::firehose
