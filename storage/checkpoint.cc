// Encoding, decoding and keeping of checkpoints.
#include "storage/checkpoint.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "protocol/check.h"
#include "protocol/endian.h"
#include "storage/block_header.h"

namespace sluice::storage {
namespace {

using protocol::LoadLittleEndian;
using protocol::StoreLittleEndian;

constexpr std::size_t kSequenceAt = 8;
constexpr std::size_t kReplayFileAt = 16;
constexpr std::size_t kReplayPositionAt = 24;
constexpr std::size_t kReplayGroupAt = 32;
constexpr std::size_t kDurableMarkAt = 40;
constexpr std::size_t kBodyBytesAt = 48;
constexpr std::uint64_t kAcceptedBit = kMaxOffset.value + 1;  // in the next offset of a hole
constexpr std::string_view kWhat = "checkpoint";

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <typename Int>
  void Put(Int value) {
    char bytes[sizeof value];
    StoreLittleEndian<Int>(bytes, value);
    out_.append(bytes, sizeof value);
  }
  void PutCount(std::size_t count) { Put(static_cast<std::uint32_t>(count)); }

 private:
  std::string& out_;
};

/// Reads what Writer wrote; after a read past the end everything is 0 and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <typename Int>
  Int Get() {
    if (rest_.size() < sizeof(Int)) {
      ok_ = false;
      rest_ = {};
      return 0;
    }
    const Int value = LoadLittleEndian<Int>(rest_.data());
    rest_.remove_prefix(sizeof(Int));
    return value;
  }
  /// A count of things of at least `bytes_each`: never more than the rest can hold.
  std::size_t GetCount(std::size_t bytes_each) {
    const std::size_t count = Get<std::uint32_t>();
    if (count * bytes_each <= rest_.size()) return count;
    ok_ = false;
    return 0;
  }
  std::string GetText(std::size_t bytes) {
    std::string text(rest_.substr(0, bytes));
    rest_.remove_prefix(text.size());
    return text;
  }
  Offset GetOffset() { return Offset(Get<std::uint64_t>()); }
  bool ok() const { return ok_; }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void PutProducer(const ProducerState& producer, Writer& out) {
  out.Put(producer.id.value);
  out.Put(producer.epoch);
  out.Put(static_cast<std::uint16_t>(producer.batches.size()));
  for (const ProducerBatch& batch : producer.batches) {
    out.Put(batch.base_sequence);
    out.Put(batch.last_sequence);
    out.Put(batch.base_offset.value);
    out.Put(batch.record_count);
    out.Put(batch.append_time_ms);
  }
}

ProducerState GetProducer(Reader& in) {
  ProducerState producer;
  producer.id = ProducerId(in.Get<std::int64_t>());
  producer.epoch = in.Get<std::int16_t>();
  const std::size_t count = in.Get<std::uint16_t>();
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    ProducerBatch batch;
    batch.base_sequence = in.Get<std::int32_t>();
    batch.last_sequence = in.Get<std::int32_t>();
    batch.base_offset = in.GetOffset();
    batch.record_count = in.Get<std::uint32_t>();
    batch.append_time_ms = in.Get<std::int64_t>();
    producer.batches.push_back(batch);
  }
  return producer;
}

void PutShard(const ShardRecord& shard, std::string& body) {
  Writer out(body);
  out.Put(shard.id.stream.value);
  out.Put(shard.id.index.value);
  out.Put(shard.oldest.value);
  out.Put(shard.end.value);
  out.Put(shard.last_append_time_ms);
  out.PutCount(shard.quarantine.size());
  out.PutCount(shard.holes.size());
  out.PutCount(shard.segments.size());
  out.PutCount(shard.producers.size());
  body.append(shard.quarantine);
  for (const Hole& hole : shard.holes) {
    out.Put(hole.first.value);
    out.Put(hole.next.value | (hole.accepted ? kAcceptedBit : 0));
  }
  for (const SegmentExtent& segment : shard.segments) {
    out.Put(segment.base.value);
    out.Put(segment.end.value);
    out.Put(segment.bytes);
    out.Put(segment.last_append_time_ms);
    out.Put(segment.last_checksum);
  }
  for (const ProducerState& producer : shard.producers) PutProducer(producer, out);
}

ShardRecord GetShard(Reader& in) {
  ShardRecord shard;
  shard.id.stream = StreamId(in.Get<std::uint32_t>());
  shard.id.index = ShardIndex(in.Get<std::uint32_t>());
  shard.oldest = in.GetOffset();
  shard.end = in.GetOffset();
  shard.last_append_time_ms = in.Get<std::int64_t>();
  const std::size_t reason_bytes = in.GetCount(1);
  const std::size_t holes = in.GetCount(16);
  const std::size_t segments = in.GetCount(40);
  const std::size_t producers = in.GetCount(12);
  shard.quarantine = in.GetText(reason_bytes);
  for (std::size_t i = 0; i < holes; ++i) {
    const Offset first = in.GetOffset();
    const auto next = in.Get<std::uint64_t>();
    shard.holes.push_back({first, Offset(next & ~kAcceptedBit), (next & kAcceptedBit) != 0});
  }
  for (std::size_t i = 0; i < segments; ++i) {
    SegmentExtent segment;
    segment.base = in.GetOffset();
    segment.end = in.GetOffset();
    segment.bytes = in.Get<std::uint64_t>();
    segment.last_append_time_ms = in.Get<std::int64_t>();
    segment.last_checksum = in.Get<std::uint64_t>();
    shard.segments.push_back(segment);
  }
  for (std::size_t i = 0; i < producers && in.ok(); ++i) shard.producers.push_back(GetProducer(in));
  return shard;
}

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string bytes(kBlockHeaderBytes, '\0');
  Writer(bytes).PutCount(checkpoint.shards.size());
  for (const ShardRecord& shard : checkpoint.shards) PutShard(shard, bytes);
  const std::span<char> block(bytes.data(), kBlockHeaderBytes);
  BeginBlockHeader(block, kCheckpointMagic, kCheckpointVersion, checkpoint.clean ? kCheckpointCleanFlag : 0);
  StoreLittleEndian<std::uint64_t>(&bytes[kSequenceAt], checkpoint.sequence);
  StoreLittleEndian<std::uint64_t>(&bytes[kReplayFileAt], checkpoint.replay.file_sequence);
  StoreLittleEndian<std::uint64_t>(&bytes[kReplayPositionAt], checkpoint.replay.position);
  StoreLittleEndian<std::uint64_t>(&bytes[kReplayGroupAt], checkpoint.replay.group);
  StoreLittleEndian<std::uint64_t>(&bytes[kDurableMarkAt], checkpoint.durable_mark);
  const std::string_view body = std::string_view(bytes).substr(kBlockHeaderBytes);
  StoreLittleEndian<std::uint64_t>(&bytes[kBodyBytesAt], body.size());
  SealBlockHeader(block, body);
  return bytes;
}

Result<Checkpoint> DecodeCheckpoint(std::string_view bytes) {
  if (Status status = CheckBlockMagic(bytes, kCheckpointMagic, kCheckpointVersion, kWhat); !status.ok()) {
    return Error(std::move(status));
  }
  const auto body_bytes = LoadLittleEndian<std::uint64_t>(&bytes[kBodyBytesAt]);
  if (body_bytes > bytes.size() - kBlockHeaderBytes) return Error(Code::kCorruption, "checkpoint: cut short");
  const std::string_view body = bytes.substr(kBlockHeaderBytes, body_bytes);
  if (Status status = CheckBlockChecksum(bytes, body, kWhat); !status.ok()) return Error(std::move(status));

  Checkpoint checkpoint;
  checkpoint.sequence = LoadLittleEndian<std::uint64_t>(&bytes[kSequenceAt]);
  checkpoint.clean = (bytes[kBlockFlagsAt] & kCheckpointCleanFlag) != 0;
  checkpoint.replay.file_sequence = LoadLittleEndian<std::uint64_t>(&bytes[kReplayFileAt]);
  checkpoint.replay.position = LoadLittleEndian<std::uint64_t>(&bytes[kReplayPositionAt]);
  checkpoint.replay.group = LoadLittleEndian<std::uint64_t>(&bytes[kReplayGroupAt]);
  checkpoint.durable_mark = LoadLittleEndian<std::uint64_t>(&bytes[kDurableMarkAt]);
  Reader in(body);
  const std::size_t shards = in.GetCount(48);
  checkpoint.shards.reserve(shards);
  for (std::size_t i = 0; i < shards && in.ok(); ++i) checkpoint.shards.push_back(GetShard(in));
  if (!in.ok() || !in.done()) return Error(Code::kCorruption, "checkpoint: its counts make no sense");
  return checkpoint;
}

Status CheckpointFiles::LoadCopy(const std::string& path, Loaded& loaded) {
  Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kReadWrite);
  if (!file) return file.error().code() == Code::kNotFound ? Status() : file.error();
  // As with every file: sync first, then forget the cache, so that a read tells what the disk holds.
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  if (Status status = (*file)->DropCache(); !status.ok()) return status;
  Result<std::uint64_t> size = (*file)->Size();
  if (!size) return size.error();
  std::string bytes(*size, '\0');
  Result<std::size_t> got = (*file)->Read(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  Result<Checkpoint> checkpoint = DecodeCheckpoint(bytes);
  if (!checkpoint) {
    // A newer version is refused by DIR/VERSION before; here a strange version is damage.
    loaded.damaged.push_back(path + ": " + checkpoint.error().message());
  } else if (!loaded.newest || checkpoint->sequence > loaded.newest->sequence) {
    loaded.newest = std::move(*checkpoint);
  }
  return {};
}

Result<CheckpointFiles::Loaded> CheckpointFiles::Load() {
  Loaded loaded;
  // What a killed process has made may be in the cache only; nothing may be let go of because of it before it is not.
  if (Status status = env_.SyncDir(dir_); !status.ok()) return Error(std::move(status));
  for (const std::uint64_t turn : {1, 2}) {
    if (Status status = LoadCopy(PathFor(turn), loaded); !status.ok()) return Error(std::move(status));
  }
  return loaded;
}

Status CheckpointFiles::Save(const Checkpoint& checkpoint) {
  SLUICE_CHECK(checkpoint.sequence > 0);
  const std::string path = PathFor(checkpoint.sequence);
  const std::string bytes = EncodeCheckpoint(checkpoint);
  Result<std::unique_ptr<File>> file = env_.Open(path, OpenMode::kCreateOrOpen);
  if (!file) return file.error();
  if (Status status = (*file)->Write(0, bytes); !status.ok()) return status;
  if (Status status = (*file)->Sync(); !status.ok()) return status;
  return env_.SyncDir(dir_);
}

}  // namespace sluice::storage
