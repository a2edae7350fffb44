// The stored bytes of streams and producers (stored.proto), to and from values. Values only; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "broker/stream_catalog.h"
#include "sluice/status.h"

namespace sluice::broker {

std::string EncodeStream(const StreamInfo& stream);
/// kCorruption where the bytes do not parse or make no sense, kUnimplemented where a newer version wrote them.
Result<StreamInfo> DecodeStream(std::string_view bytes);

std::string EncodeProducer(const StreamCatalog::ProducerGrant& grant);
Result<StreamCatalog::ProducerGrant> DecodeProducer(std::string_view bytes);

}  // namespace sluice::broker
