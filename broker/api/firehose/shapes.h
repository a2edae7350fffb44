// The shapes that several operations' inputs share. Made once; thread-safe.
#pragma once

#include "protocol/aws/shape.h"

namespace sluice::broker::firehose {

const protocol::aws::Shape& NameShape();  // of a delivery stream
const protocol::aws::Shape& TypeShape();  // of a delivery stream
const protocol::aws::Shape& BooleanShape();
const protocol::aws::Shape& PageSizeShape();  // 1 to 10,000
const protocol::aws::Shape& DestinationIdShape();
const protocol::aws::Shape& RoleArnShape();
const protocol::aws::Shape& TagKeyShape();
const protocol::aws::Shape& TagListShape();
const protocol::aws::Shape& RecordShape();
const protocol::aws::Shape& EncryptionInputShape();  // of a delivery stream
const protocol::aws::Shape& DirectPutSourceShape();
const protocol::aws::Shape& KinesisSourceShape();
/// A map that nothing of is served.
const protocol::aws::Shape& UnservedShape();

/// Of an S3 destination when it is made, and when it is changed, where nothing is required.
const protocol::aws::Shape& S3ConfigurationShape();
const protocol::aws::Shape& S3UpdateShape();
const protocol::aws::Shape& ExtendedS3ConfigurationShape();
const protocol::aws::Shape& ExtendedS3UpdateShape();
/// Parts of every destination.
const protocol::aws::Shape& LoggingShape();
const protocol::aws::Shape& ProcessingShape();

/// A structure with DeliveryStreamName, which is needed.
protocol::aws::Shape NamedInputShape();

}  // namespace sluice::broker::firehose
