// Firehose's HTTP endpoint: a POST of
//
//     {"requestId":"<uuid>","timestamp":<ms>,"records":[{"data":"<base64>"},..]}
//
// with the headers X-Amz-Firehose-*, and an answer of status 200 with {"requestId":"<the same>","timestamp":<ms>}.
#pragma once

#include "broker/delivery/endpoints/endpoint_registry.h"

namespace sluice::delivery {

EndpointKind HttpEndpointKind();

}  // namespace sluice::delivery
