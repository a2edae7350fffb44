// Redshift in the API. Thread-safe.
#pragma once

#include "broker/api/firehose/destination_kind.h"

namespace sluice::broker::firehose {

DestinationKind RedshiftKind();

}  // namespace sluice::broker::firehose
