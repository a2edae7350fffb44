// The shapes that several operations' inputs share. Made once; thread-safe.
#pragma once

#include "protocol/aws/shape.h"

namespace sluice::broker::kinesis {

const protocol::aws::Shape& StreamNameShape();
const protocol::aws::Shape& StreamArnShape();
const protocol::aws::Shape& ResourceArnShape();
const protocol::aws::Shape& ConsumerNameShape();
const protocol::aws::Shape& ConsumerArnShape();
const protocol::aws::Shape& ShardIdShape();
const protocol::aws::Shape& PlaceTypeShape();  // of iterators and subscriptions
const protocol::aws::Shape& SequenceNumberShape();
const protocol::aws::Shape& HashKeyShape();
const protocol::aws::Shape& NextTokenShape();
const protocol::aws::Shape& TimestampShape();
const protocol::aws::Shape& BooleanShape();
const protocol::aws::Shape& IntegerShape();
const protocol::aws::Shape& PositiveIntegerShape();
const protocol::aws::Shape& PageSizeShape();    // 1 to 10,000
const protocol::aws::Shape& RecordSizeShape();  // in KiB: 1,024 to 10,240
const protocol::aws::Shape& TagMapShape();
const protocol::aws::Shape& TagKeyShape();
const protocol::aws::Shape& TagKeyListShape();

/// A structure with StreamName and StreamARN.
protocol::aws::Shape StreamInputShape();
/// A structure with StreamARN, ConsumerName and ConsumerARN.
protocol::aws::Shape ConsumerInputShape();

}  // namespace sluice::broker::kinesis
