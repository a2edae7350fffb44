// The key of shard iterators and NextTokens: made at the first start of a data directory and kept in its metadata, so
// that iterators live over a restart. broker/METADATA.md has its place.
#pragma once

#include "broker/api/kinesis/token_seal.h"
#include "sluice/status.h"
#include "storage/metadata_store.h"

namespace sluice::broker::kinesis {

/// Blocks. kCorruption where what is kept there is no key.
Result<TokenKey> LoadOrMakeTokenKey(storage::MetadataStore& metadata);

}  // namespace sluice::broker::kinesis
