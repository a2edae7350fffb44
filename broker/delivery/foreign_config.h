// Documents in which delivery streams stand elsewhere: a CloudFormation template or resource, and Terraform's state.
// They become the body of CreateDeliveryStream, which is then read as any other. Every node keeps its line, so that
// messages name places of the document as it is.
//
// Values only; thread-safe.
#pragma once

#include <string_view>

#include "broker/delivery/config_document.h"
#include "broker/delivery/config_reader.h"

namespace sluice::delivery {

/// Leaves a document alone that is neither. A delivery stream that has no name in a template is named by its resource,
/// else by the document's file. What cannot be taken over is a problem of the report.
void TakeForeignDocument(ConfigNode& document, std::string_view document_name, ConfigReport& report);

}  // namespace sluice::delivery
