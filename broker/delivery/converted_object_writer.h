// The writer of the format that a delivery stream converts its records to. Used by object_builder.cc only.
#pragma once

#include <memory>

#include "broker/delivery/delivery_config.h"
#include "broker/delivery/object_writer.h"
#include "broker/delivery/schema.h"

namespace sluice::delivery {

/// `config` converts; `sink` must outlive the writer.
Result<std::unique_ptr<ObjectWriter>> NewConvertedObjectWriter(const DeliveryConfig& config, const Schema& schema,
                                                               ObjectSink& sink);

}  // namespace sluice::delivery
