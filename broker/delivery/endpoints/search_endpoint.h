// OpenSearch and Elasticsearch: documents by the bulk API, an index operation each, into an index whose name has a part
// of the document's time. With document ids, which follow from delivery stream, shard and offset, a document that is
// sent again replaces itself.
#pragma once

#include "broker/delivery/endpoints/endpoint_registry.h"

namespace sluice::delivery {

EndpointKind OpenSearchKind();
EndpointKind ElasticsearchKind();

/// "orders-2026-11-29" of "orders" and a day; times are UTC, weeks ISO's: "orders-2026-w48".
std::string RotatedIndex(std::string_view index, IndexRotation rotation, std::int64_t time_ms);

}  // namespace sluice::delivery
