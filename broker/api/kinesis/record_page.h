// A page of GetRecords or of SubscribeToShard: the records of some frames, from a place within them, as many as fit,
// written as an answer.
//
// Records of any batch are read: those that this door put, and those that native clients wrote, compressed or without
// keys. Values only: safe on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "broker/stream_catalog.h"
#include "protocol/aws/writer.h"
#include "protocol/frame.h"
#include "sluice/status.h"

namespace sluice::broker::kinesis {

struct PageRequest {
  StreamPtr stream;
  ShardIndex shard;
  Offset first;
  std::size_t records_max = 0;
  std::uint64_t bytes_max = 0;          // keys and data together; a first record is given whatever its size
  std::vector<protocol::Frame> frames;  // the first one holds `first`, or begins behind it
  Offset frames_end;                    // where to read on behind them
};

struct PageEnd {
  Offset next;                      // the first record behind the page
  std::int64_t last_append_ms = 0;  // of the page's last record; 0 where there is none
  std::uint64_t bytes = 0;          // keys and data together
};

/// Writes the list of records. kCorruption where a batch cannot be taken apart.
Result<PageEnd> WriteRecords(protocol::aws::Writer& writer, const PageRequest& page);

/// Whether the records of these frames are few and plain enough to be written on a loop: decompressing and encoding
/// megabytes would hold up its other connections.
bool IsQuickToWrite(std::span<const protocol::Frame> frames);

/// How far a reader is behind, in whole seconds as AWS tells it; only at the end of a shard it is 0, and that is not
/// asked here.
std::int64_t MillisBehind(std::int64_t last_append_ms, std::int64_t now_ms);

/// The PartitionKey of a record whose number is `sequence_number`: its key. Where it has none (native clients need not
/// give one), its number, which is as good as any key for putting the record elsewhere. A key that is no UTF-8, which
/// no Kinesis client can be given, is told as base64.
std::string PartitionKeyOf(const protocol::RecordView& record, std::string_view sequence_number);

}  // namespace sluice::broker::kinesis
