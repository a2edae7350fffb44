// The keys of AWS by which requests are signed: those of the secret that the setting delivery.signing_secret names, as
// they are at this moment, since they may be replaced.
//
// One thread at a time. A crash leaves nothing.
#pragma once

#include <optional>
#include <string>

#include "broker/delivery/http_client.h"
#include "broker/delivery/processing/processor_host.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// nullopt where the setting names no secret. An error says what is wrong with the secret.
Result<std::optional<AwsSigner>> ConfiguredSigner(const ProcessorSettings& settings, std::string region,
                                                  std::string service);

}  // namespace sluice::delivery
