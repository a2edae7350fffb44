// The record batch: Kafka's record batch v2 (magic 2), byte for byte; protocol/BATCH.md has every byte and an example.
//
// A producer builds, compresses and checksums a batch once; it is stored, cached and served as it is. The CRC32C covers
// everything from `attributes` to the end; `base_offset` and `partition_leader_epoch` stand before it, so that a broker
// can fill them in without touching the checksum. No I/O, no threads: every function is safe to call from anywhere on
// its own data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/compression.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::protocol {

inline constexpr std::size_t kBatchHeaderSize = 61;
inline constexpr std::int8_t kBatchMagic = 2;
/// The largest batch a broker takes, header included. Limits are checked before anything is allocated.
inline constexpr std::size_t kBatchBytesMax = 16u << 20;
/// The largest record (key + value + headers): Kinesis' own limit, 10 MiB.
inline constexpr std::size_t kRecordBytesMax = 10u << 20;
/// From here on its CRC32C covers a batch; the CRC itself ends here.
inline constexpr std::size_t kBatchChecksummedAt = 21;
/// What a batch may grow to when it is decompressed; stops decompression bombs.
inline constexpr std::size_t kBatchBytesUncompressedMax = 64u << 20;
/// The most headers of one record: two bytes make one, and each costs a reader a view.
inline constexpr std::int32_t kRecordHeadersMax = 10'000;

/// The attribute bit of a batch whose records all carry the broker's append time, in max_timestamp_ms.
inline constexpr std::int16_t kLogAppendTimeBit = 0x08;
/// The attribute bit of a batch whose records are encrypted; only in the log of a broker (sealed_batch.h).
inline constexpr std::int16_t kSealedBit = 0x80;
/// Bytes that such a batch has besides: version, key number, nonce, tag.
inline constexpr std::size_t kSealOverheadBytes = 33;

/// The fixed 61 bytes of a batch, decoded.
struct BatchHeader {
  std::int64_t base_offset = 0;
  std::int32_t batch_length = 0;  // bytes after this field
  std::int32_t partition_leader_epoch = -1;
  std::uint32_t crc32c = 0;
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int32_t record_count = 0;

  Compression compression() const { return static_cast<Compression>(attributes & 0x7); }
  bool log_append_time() const { return (attributes & kLogAppendTimeBit) != 0; }
  bool sealed() const { return (attributes & kSealedBit) != 0; }
  bool idempotent() const { return producer_id >= 0; }
  constexpr std::size_t total_size() const { return static_cast<std::size_t>(batch_length) + 12; }
};

/// Decodes the header of the batch that starts at `bytes` and checks magic, lengths, counts and attributes against the
/// limits, not the checksum. kCorruption names the field that is wrong; kUnimplemented for a transactional or control
/// batch.
Result<BatchHeader> ParseBatchHeader(std::string_view bytes);

/// Checks that `bytes` is exactly one batch and that its CRC32C holds. Returns its header. The records are not looked
/// at.
Result<BatchHeader> VerifyBatch(std::string_view bytes);

/// Checks the records of a verified batch as BatchReader would read them, in a few nanoseconds each; a compressed
/// batch is decompressed into `scratch` first. kCorruption where a reader would stumble; kInvalidArgument names a
/// record whose key, value and headers are over `record_bytes_max`, and for a sealed batch.
Status CheckRecords(const BatchHeader& header, std::string_view batch, std::size_t record_bytes_max,
                    std::string& scratch);

/// Writes base_offset into a batch in place; outside the checksum.
void SetBaseOffset(std::span<char> batch, Offset base_offset);

/// Writes the idempotence fields into a batch in place, and its checksum; -1 each where the producer is not idempotent.
void SetProducer(std::span<char> batch, ProducerId id, std::int16_t epoch, std::int32_t base_sequence);

/// Sets or clears the bit of sealed batches in place, and batch_length to the bytes that there are. The checksum does
/// not fit afterwards.
void SetSealed(std::span<char> batch, bool sealed);

/// Writes the checksum of a batch in place.
void SetChecksum(std::span<char> batch);
/// Checks that the CRC32C of `batch`, a whole one, is what its header says; else kCorruption.
Status CheckChecksum(std::string_view batch);

struct HeaderView {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// One record; views into the batch (or into the buffer that it was decompressed to).
struct RecordView {
  std::int32_t offset_delta = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string_view> key;    // the partition key of a Kinesis record
  std::optional<std::string_view> value;  // the data
  std::vector<HeaderView> headers;
};

/// Reads the records of one verified batch in order. `scratch` takes the decompressed bytes and must outlive the reader
/// and its views.
class BatchReader {
 public:
  /// kCorruption where these are not the bytes of one batch; kInvalidArgument for a sealed one.
  static Result<BatchReader> Open(std::string_view batch, std::string& scratch);

  /// The next record, nullptr at the end, kCorruption where a record does not parse or bytes follow the last one (and
  /// again on each further call). The record is valid until the next call or until the reader moves.
  Result<const RecordView*> Next();
  const BatchHeader& header() const { return header_; }

 private:
  BatchHeader header_;
  std::string_view rest_;
  std::int32_t records_left_ = 0;
  RecordView record_;
};

/// Builds one batch. Reusable after Finish. The caller minds the limits: it asks size_bytes() before it adds, and
/// finishes in time; a batch beyond kBatchBytesUncompressedMax is a bug, one that finishes beyond kBatchBytesMax is
/// refused by brokers.
class BatchBuilder {
 public:
  /// `front_bytes`: room that Finish leaves in front of the batch, for a frame's header (FrameBuffer::Adopt). `memory`:
  /// an empty string to build the batch in.
  explicit BatchBuilder(Compression compression = Compression::kNone, std::size_t front_bytes = 0,
                        std::string memory = {})
      : compression_(compression), header_end_(front_bytes + kBatchHeaderSize), batch_(std::move(memory)) {}

  /// Memory for a batch of this size before compression, so that adding its records moves nothing.
  void Reserve(std::size_t bytes) { batch_.reserve(front_bytes() + bytes); }
  /// Adds a record; `key` and `value` are copied. Timestamps are milliseconds since 1970.
  void Add(std::int64_t timestamp_ms, std::optional<std::string_view> key, std::optional<std::string_view> value,
           std::span<const HeaderView> headers = {});
  /// The same without headers, for a value that is made where it will stand: `fill` writes `value_bytes` bytes.
  void AddFilled(std::int64_t timestamp_ms, std::optional<std::string_view> key, std::size_t value_bytes,
                 const std::function<void(char*)>& fill);
  /// Sets the idempotence fields; -1 each where the producer is not idempotent.
  void SetProducer(ProducerId id, std::int16_t epoch, std::int32_t base_sequence);

  std::int32_t record_count() const { return record_count_; }
  bool empty() const { return record_count_ == 0; }
  /// Size of the batch so far, before compression.
  std::size_t size_bytes() const { return std::max(header_end_, batch_.size()) - front_bytes(); }

  /// Compresses, checksums, appends the batch to `out` and starts anew (the producer fields are kept). At least one
  /// record was added. Cheapest with an empty `out`: an uncompressed batch then changes hands without a copy.
  void Finish(std::string& out);

 private:
  template <typename WriteValue>
  void AddRecord(std::int64_t timestamp_ms, std::optional<std::string_view> key, std::size_t value_size,
                 std::span<const HeaderView> headers, WriteValue write_value);

  std::size_t front_bytes() const { return header_end_ - kBatchHeaderSize; }

  Compression compression_;
  std::size_t header_end_;
  std::string batch_;  // room in front and for the header, then the records; empty where record_count_ is 0
  std::int32_t record_count_ = 0;
  std::int64_t base_timestamp_ms_ = 0;
  std::int64_t max_timestamp_ms_ = 0;
  ProducerId producer_ = kNoProducer;
  std::int16_t producer_epoch_ = -1;
  std::int32_t base_sequence_ = -1;
};

}  // namespace sluice::protocol
