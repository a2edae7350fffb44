// Splunk's HTTP Event Collector: a POST of the records as they are to services/collector/raw or /event, an answer
// {"text":"Success","code":0,"ackId":<n>}, and then the question whether that ackId is indexed, until it is.
#pragma once

#include "broker/delivery/endpoints/endpoint_registry.h"

namespace sluice::delivery {

EndpointKind SplunkKind();

}  // namespace sluice::delivery
