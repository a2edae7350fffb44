// AmazonopensearchserviceDestination and ElasticsearchDestination of the API. Thread-safe.
#pragma once

#include "broker/api/firehose/destination_kind.h"

namespace sluice::broker::firehose {

DestinationKind OpenSearchKind();
DestinationKind ElasticsearchKind();

}  // namespace sluice::broker::firehose
