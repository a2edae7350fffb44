// Asking the broker for a producer's identity, or for the next epoch of a named one. Values only.
#pragma once

#include <cstdint>

#include "client/connection.h"
#include "client/shard_sender.h"
#include "sluice/producer.h"
#include "sluice/status.h"

namespace sluice::client {

Call InitProducerCall(const ProducerOptions& options);
/// What the broker has answered; `generation` counts the identities that the producer has had.
Result<ProducerIdentity> ReadIdentity(const Result<Answer>& answer, std::uint64_t generation);

}  // namespace sluice::client
