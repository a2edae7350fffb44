// Sealed batches: record batches whose records are encrypted, as they stand in journal and segments of streams with
// encryption at rest; protocol/BATCH.md, section "Sealed batch", has every byte and an example.
//
// The header of a sealed batch stays readable, with one bit more: the log, the duplicate window and the index need it,
// and its CRC32C is checked without a key. Only the broker seals and opens: producers and consumers never meet one.
// Values only: safe to call from anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/aes_gcm.h"
#include "protocol/batch.h"
#include "protocol/frame.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::protocol {

inline constexpr std::uint8_t kSealVersion = 1;

/// Whether these bytes, which begin with a whole batch header, are a sealed batch: one bit is looked at.
bool IsSealed(std::string_view batch);

/// What stands in front of the encrypted records.
struct SealHeader {
  std::uint32_t key_number = 0;
  GcmNonce nonce{};
};
/// kCorruption where this is no sealed batch; kUnimplemented where a newer version of Sluice has sealed it. The
/// checksum is not looked at.
Result<SealHeader> ParseSealHeader(std::string_view batch);

/// The key that a batch is sealed with. `nonce` must be a new one for each batch of a key.
struct Seal {
  const SecretKey& key;
  SealHeader header;
};

/// Seals the verified, plain batch for the shard that it will stand in: a buffer that is kSealOverheadBytes larger. The
/// batch and that are together at most kBatchBytesMax.
FrameBuffer SealBatch(const Seal& seal, ShardId shard, std::string_view batch);

/// Opens the frame's sealed batch: a frame of the same place and time, whose batch is byte for byte the one that was
/// sealed (but for base_offset), with its checksums. kCorruption, naming shard and offset, where the bytes are not
/// those that were sealed with this key for this shard.
Result<Frame> OpenFrame(const Frame& frame, const SecretKey& key);

}  // namespace sluice::protocol
