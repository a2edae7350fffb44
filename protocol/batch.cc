// Record batches: the header at fixed places (the constants below mirror the table in protocol/BATCH.md), then records
// of variable-length integers. Everything read here may come from a stranger; nothing is allocated on the word of a
// length field.
#include "protocol/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "protocol/check.h"
#include "protocol/crc32c.h"
#include "protocol/endian.h"
#include "protocol/varint.h"

namespace sluice::protocol {
namespace {

// Where each field of the header stands.
constexpr std::size_t kBaseOffsetAt = 0;
constexpr std::size_t kBatchLengthAt = 8;
constexpr std::size_t kLeaderEpochAt = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = kBatchChecksummedAt;
constexpr std::size_t kLastOffsetDeltaAt = 23;
constexpr std::size_t kBaseTimestampAt = 27;
constexpr std::size_t kMaxTimestampAt = 35;
constexpr std::size_t kProducerIdAt = 43;
constexpr std::size_t kProducerEpochAt = 51;
constexpr std::size_t kBaseSequenceAt = 53;
constexpr std::size_t kRecordCountAt = 57;
static_assert(kRecordCountAt + sizeof(std::int32_t) == kBatchHeaderSize);

// batch_length counts what follows it.
constexpr std::size_t kUncountedBytes = kBatchLengthAt + sizeof(std::int32_t);
static_assert(kUncountedBytes == BatchHeader{}.total_size());

// The smallest record: length, attributes, timestamp delta, offset delta, key length, value length, header count.
constexpr std::size_t kRecordSizeMin = 7;

constexpr std::int16_t kCompressionMask = 0x07;
constexpr std::int16_t kTransactionalBit = 0x10;
constexpr std::int16_t kControlBit = 0x20;
constexpr std::int16_t kKnownBits = kCompressionMask | kLogAppendTimeBit | kTransactionalBit | kControlBit | kSealedBit;

std::unexpected<Status> Damaged(std::string_view what) {
  return Error(Code::kCorruption, fmt::format("record batch: {}", what));
}

BatchHeader DecodeHeader(const char* from) {
  BatchHeader header;
  header.base_offset = LoadBigEndian<std::int64_t>(from + kBaseOffsetAt);
  header.batch_length = LoadBigEndian<std::int32_t>(from + kBatchLengthAt);
  header.partition_leader_epoch = LoadBigEndian<std::int32_t>(from + kLeaderEpochAt);
  header.crc32c = LoadBigEndian<std::uint32_t>(from + kCrcAt);
  header.attributes = LoadBigEndian<std::int16_t>(from + kAttributesAt);
  header.last_offset_delta = LoadBigEndian<std::int32_t>(from + kLastOffsetDeltaAt);
  header.base_timestamp_ms = LoadBigEndian<std::int64_t>(from + kBaseTimestampAt);
  header.max_timestamp_ms = LoadBigEndian<std::int64_t>(from + kMaxTimestampAt);
  header.producer_id = LoadBigEndian<std::int64_t>(from + kProducerIdAt);
  header.producer_epoch = LoadBigEndian<std::int16_t>(from + kProducerEpochAt);
  header.base_sequence = LoadBigEndian<std::int32_t>(from + kBaseSequenceAt);
  header.record_count = LoadBigEndian<std::int32_t>(from + kRecordCountAt);
  return header;
}

void EncodeHeader(const BatchHeader& header, char* to) {
  StoreBigEndian(to + kBaseOffsetAt, header.base_offset);
  StoreBigEndian(to + kBatchLengthAt, header.batch_length);
  StoreBigEndian(to + kLeaderEpochAt, header.partition_leader_epoch);
  StoreBigEndian(to + kMagicAt, kBatchMagic);
  StoreBigEndian(to + kCrcAt, header.crc32c);
  StoreBigEndian(to + kAttributesAt, header.attributes);
  StoreBigEndian(to + kLastOffsetDeltaAt, header.last_offset_delta);
  StoreBigEndian(to + kBaseTimestampAt, header.base_timestamp_ms);
  StoreBigEndian(to + kMaxTimestampAt, header.max_timestamp_ms);
  StoreBigEndian(to + kProducerIdAt, header.producer_id);
  StoreBigEndian(to + kProducerEpochAt, header.producer_epoch);
  StoreBigEndian(to + kBaseSequenceAt, header.base_sequence);
  StoreBigEndian(to + kRecordCountAt, header.record_count);
}

Status Sealed() {
  return Status(
      Code::kInvalidArgument,
      fmt::format("record batch: attributes with {:#06x} say that its records are encrypted, as only a broker "
                  "writes them into its own log; send the records as they are",
                  kSealedBit));
}

/// What a batch of these attributes could hold at most; bounds record_count before a single record is read.
std::size_t RecordBytesMax(const BatchHeader& header) {
  if (header.compression() != Compression::kNone) return kBatchBytesUncompressedMax;
  return header.total_size() - kBatchHeaderSize - (header.sealed() ? kSealOverheadBytes : 0);
}

Status CheckHeader(const BatchHeader& header) {
  const auto damaged = [](std::string text) { return Damaged(text).error(); };
  if ((header.attributes & ~kKnownBits) != 0) {
    return damaged(
        fmt::format("attributes {:#06x} set bits without a meaning", static_cast<std::uint16_t>(header.attributes)));
  }
  if (header.compression() > Compression::kZstd) {
    return damaged(fmt::format("compression number {} does not exist", header.attributes & kCompressionMask));
  }
  if ((header.attributes & (kTransactionalBit | kControlBit)) != 0) {
    return Status(Code::kUnimplemented,
                  "record batch: transactional and control batches are not served; send it without a transaction");
  }
  if (header.sealed() && header.total_size() < kBatchHeaderSize + kSealOverheadBytes) {
    return damaged(fmt::format("batch_length {} is too short for sealed records", header.batch_length));
  }
  if (header.base_offset < 0) return damaged(fmt::format("base_offset {} is negative", header.base_offset));
  if (header.record_count < 1) return damaged(fmt::format("record_count {} is not positive", header.record_count));
  if (header.last_offset_delta != header.record_count - 1) {
    return damaged(fmt::format("last_offset_delta {} does not fit record_count {}", header.last_offset_delta,
                               header.record_count));
  }
  if (static_cast<std::size_t>(header.record_count) > RecordBytesMax(header) / kRecordSizeMin) {
    return damaged(fmt::format("record_count {} cannot fit in {} bytes", header.record_count, header.batch_length));
  }
  if (header.producer_id < -1 || (header.idempotent() && (header.producer_epoch < 0 || header.base_sequence < 0))) {
    return damaged(fmt::format("producer_id {}, producer_epoch {}, base_sequence {} do not belong together",
                               header.producer_id, header.producer_epoch, header.base_sequence));
  }
  return Status();
}

/// Timestamps may be any 64-bit numbers, so differences wrap around, as they do in Kafka's clients.
std::int64_t WrappingAdd(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t WrappingSubtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

// ---- reading records
// -----------------------------------------------------------------------------------------------------

/// Takes a length and as many bytes off the front of `in`; length -1 means null.
bool ReadNullable(std::string_view& in, std::optional<std::string_view>& bytes) {
  std::int32_t size = 0;
  if (!ReadVarint(in, size) || size < -1) return false;
  if (size == -1) {
    bytes.reset();
    return true;
  }
  if (static_cast<std::size_t>(size) > in.size()) return false;
  bytes = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool ReadHeaders(std::string_view& in, std::vector<HeaderView>& headers) {
  std::int32_t count = 0;
  constexpr std::size_t kHeaderSizeMin = 2;
  if (!ReadVarint(in, count) || count < 0 || static_cast<std::size_t>(count) > in.size() / kHeaderSizeMin) return false;
  if (count > kRecordHeadersMax) return false;
  headers.clear();
  for (std::int32_t i = 0; i < count; ++i) {
    std::optional<std::string_view> key;
    HeaderView header;
    if (!ReadNullable(in, key) || !key || !ReadNullable(in, header.value)) return false;
    header.key = *key;
    headers.push_back(header);
  }
  return true;
}

constexpr std::int32_t kNullable = -1;
constexpr std::int32_t kNotNull = 0;

/// Takes a length of at least `size_min` and as many bytes off the front of `in`, and adds the length to `bytes`.
bool SkipBytes(std::string_view& in, std::int32_t size_min, std::size_t& bytes) {
  std::int32_t size = 0;
  if (!ReadVarint(in, size) || size < size_min || (size > 0 && static_cast<std::size_t>(size) > in.size()))
    return false;
  if (size <= 0) return true;
  in.remove_prefix(static_cast<std::size_t>(size));
  bytes += static_cast<std::size_t>(size);
  return true;
}

bool SkipHeaders(std::string_view& in, std::size_t& bytes) {
  std::int32_t count = 0;
  if (!ReadVarint(in, count) || count < 0 || count > kRecordHeadersMax) return false;
  for (std::int32_t i = 0; i < count; ++i) {
    if (!SkipBytes(in, kNotNull, bytes) || !SkipBytes(in, kNullable, bytes)) return false;
  }
  return true;
}

/// Goes over the record at the front of `records` and keeps nothing of it: what is wrong with it, or nullptr.
/// `content_bytes` is what its key, value and headers hold. What BatchReader::Next accepts, no more and no less; the
/// batch fuzzer holds the two against each other.
const char* SkipRecord(std::string_view& records, std::int32_t index, std::size_t& content_bytes) {
  std::int32_t size = 0;
  if (!ReadVarint(records, size) || size < 0 || static_cast<std::size_t>(size) > records.size()) {
    return "its length does not fit the batch";
  }
  std::string_view in = records.substr(0, static_cast<std::size_t>(size));
  records.remove_prefix(in.size());
  if (in.empty()) return "it is empty";
  in.remove_prefix(1);  // attributes
  std::int64_t timestamp_delta_ms = 0;
  std::int32_t offset_delta = 0;
  if (!ReadVarlong(in, timestamp_delta_ms)) return "its timestamp is not a number";
  if (!ReadVarint(in, offset_delta) || offset_delta != index) return "its offset is not its place";
  content_bytes = 0;
  if (!SkipBytes(in, kNullable, content_bytes)) return "its key does not fit";
  if (!SkipBytes(in, kNullable, content_bytes)) return "its value does not fit";
  if (!SkipHeaders(in, content_bytes)) return "its headers do not fit";
  return in.empty() ? nullptr : "bytes follow its headers";
}

// ---- writing records
// -----------------------------------------------------------------------------------------------------

std::size_t NullableSize(const std::optional<std::string_view>& bytes) {
  return bytes ? VarintSize(static_cast<std::int64_t>(bytes->size())) + bytes->size() : VarintSize(-1);
}

char* WriteNullable(char* to, const std::optional<std::string_view>& bytes) {
  if (!bytes) return WriteVarint(to, -1);
  to = WriteVarint(to, static_cast<std::int64_t>(bytes->size()));
  return std::copy(bytes->begin(), bytes->end(), to);
}

std::uint32_t CrcOf(std::string_view batch) {
  SLUICE_CHECK(batch.size() >= kBatchHeaderSize);
  return Crc32c(batch.substr(kBatchChecksummedAt));
}

}  // namespace

Result<BatchHeader> ParseBatchHeader(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderSize) {
    return Damaged(fmt::format("{} bytes are too few for the header of {}", bytes.size(), kBatchHeaderSize));
  }
  const auto magic = static_cast<std::int8_t>(bytes[kMagicAt]);
  if (magic != kBatchMagic) return Damaged(fmt::format("magic {} is not 2, the only version served", magic));
  const BatchHeader header = DecodeHeader(bytes.data());
  constexpr auto kLengthMin = static_cast<std::int32_t>(kBatchHeaderSize - kUncountedBytes);
  constexpr auto kLengthMax = static_cast<std::int32_t>(kBatchBytesMax - kUncountedBytes);
  if (header.batch_length < kLengthMin || header.batch_length > kLengthMax) {
    return Damaged(fmt::format("batch_length {} is not within {} to {}", header.batch_length, kLengthMin, kLengthMax));
  }
  if (Status status = CheckHeader(header); !status.ok()) return Error(std::move(status));
  return header;
}

Result<BatchHeader> VerifyBatch(std::string_view bytes) {
  const Result<BatchHeader> header = ParseBatchHeader(bytes);
  if (!header) return header;
  if (header->total_size() != bytes.size()) {
    return Damaged(fmt::format("batch_length {} does not fit its {} bytes", header->batch_length, bytes.size()));
  }
  if (Status status = CheckChecksum(bytes); !status.ok()) return Error(std::move(status));
  return header;
}

Status CheckRecords(const BatchHeader& header, std::string_view batch, std::size_t record_bytes_max,
                    std::string& scratch) {
  SLUICE_CHECK(header.total_size() == batch.size());
  if (header.sealed()) return Sealed();
  std::string_view records = batch.substr(kBatchHeaderSize);
  if (header.compression() != Compression::kNone) {
    scratch.clear();
    Status status = Decompress(header.compression(), records, kBatchBytesUncompressedMax, scratch);
    if (!status.ok()) return status.WithContext("record batch");
    records = scratch;
  }
  for (std::int32_t i = 0; i < header.record_count; ++i) {
    std::size_t bytes = 0;
    if (const char* what = SkipRecord(records, i, bytes)) {
      return Damaged(fmt::format("record {}: {}", i, what)).error();
    }
    if (bytes > record_bytes_max) {
      return Status(Code::kInvalidArgument, fmt::format("record {} of the batch has {} bytes, over the limit of {} "
                                                        "(append.record_bytes_max); send it in pieces",
                                                        i, bytes, record_bytes_max));
    }
  }
  if (!records.empty()) return Damaged(fmt::format("{} bytes follow its last record", records.size())).error();
  return Status();
}

void SetBaseOffset(std::span<char> batch, Offset base_offset) {
  SLUICE_CHECK(batch.size() >= kBatchHeaderSize);
  SLUICE_CHECK(base_offset <= kMaxOffset);
  StoreBigEndian(batch.data() + kBaseOffsetAt, base_offset.value);
}

void SetProducer(std::span<char> batch, ProducerId id, std::int16_t epoch, std::int32_t base_sequence) {
  SLUICE_CHECK(batch.size() >= kBatchHeaderSize);
  StoreBigEndian(batch.data() + kProducerIdAt, id.value);
  StoreBigEndian(batch.data() + kProducerEpochAt, epoch);
  StoreBigEndian(batch.data() + kBaseSequenceAt, base_sequence);
  SetChecksum(batch);
}

void SetSealed(std::span<char> batch, bool sealed) {
  SLUICE_CHECK(batch.size() >= kBatchHeaderSize);
  const auto attributes = LoadBigEndian<std::int16_t>(batch.data() + kAttributesAt);
  const int changed = sealed ? attributes | kSealedBit : attributes & ~kSealedBit;
  StoreBigEndian(batch.data() + kAttributesAt, static_cast<std::int16_t>(changed));
  StoreBigEndian(batch.data() + kBatchLengthAt, static_cast<std::int32_t>(batch.size() - kUncountedBytes));
}

void SetChecksum(std::span<char> batch) { StoreBigEndian(batch.data() + kCrcAt, CrcOf({batch.data(), batch.size()})); }

Status CheckChecksum(std::string_view batch) {
  const std::uint32_t crc = CrcOf(batch);
  const auto stored = LoadBigEndian<std::uint32_t>(batch.data() + kCrcAt);
  if (crc == stored) return {};
  return Damaged(fmt::format("CRC32C is {:#010x}, the header says {:#010x}", crc, stored)).error();
}

Result<BatchReader> BatchReader::Open(std::string_view batch, std::string& scratch) {
  Result<BatchHeader> header = ParseBatchHeader(batch);
  if (!header) return Error(std::move(header.error()));
  if (header->total_size() != batch.size()) {
    return Damaged(fmt::format("batch_length {} does not fit its {} bytes", header->batch_length, batch.size()));
  }
  if (header->sealed()) return Error(Sealed());
  BatchReader reader;
  reader.header_ = *header;
  reader.rest_ = batch.substr(kBatchHeaderSize);
  reader.records_left_ = header->record_count;
  if (header->compression() != Compression::kNone) {
    scratch.clear();
    const Status status = Decompress(header->compression(), reader.rest_, kBatchBytesUncompressedMax, scratch);
    if (!status.ok()) return Error(status.WithContext("record batch"));
    reader.rest_ = scratch;
  }
  return reader;
}

Result<const RecordView*> BatchReader::Next() {
  if (records_left_ == 0) {
    if (!rest_.empty()) return Damaged(fmt::format("{} bytes follow its last record", rest_.size()));
    return nullptr;
  }
  const std::int32_t index = header_.record_count - records_left_;
  const auto damaged = [&](std::string_view what) { return Damaged(fmt::format("record {}: {}", index, what)); };
  std::string_view after = rest_;
  std::int32_t size = 0;
  if (!ReadVarint(after, size) || size < 0 || static_cast<std::size_t>(size) > after.size()) {
    return damaged("its length does not fit the batch");
  }
  std::string_view in = after.substr(0, static_cast<std::size_t>(size));
  after.remove_prefix(in.size());
  if (in.empty()) return damaged("it is empty");
  in.remove_prefix(1);  // attributes of a record: no bit has a meaning yet, and Kafka's readers skip them too
  std::int64_t timestamp_delta_ms = 0;
  if (!ReadVarlong(in, timestamp_delta_ms)) return damaged("its timestamp is not a number");
  if (!ReadVarint(in, record_.offset_delta) || record_.offset_delta != index)
    return damaged("its offset is not its place");
  if (!ReadNullable(in, record_.key)) return damaged("its key does not fit");
  if (!ReadNullable(in, record_.value)) return damaged("its value does not fit");
  if (!ReadHeaders(in, record_.headers)) return damaged("its headers do not fit");
  if (!in.empty()) return damaged(fmt::format("{} bytes follow its headers", in.size()));
  record_.timestamp_ms =
      header_.log_append_time() ? header_.max_timestamp_ms : WrappingAdd(header_.base_timestamp_ms, timestamp_delta_ms);
  rest_ = after;
  --records_left_;
  return &record_;
}

// `value_size` counts the value's length field too; `write_value` writes both and gives the end of them.
template <typename WriteValue>
void BatchBuilder::AddRecord(std::int64_t timestamp_ms, std::optional<std::string_view> key, std::size_t value_size,
                             std::span<const HeaderView> headers, WriteValue write_value) {
  if (record_count_ == 0) {
    batch_.resize(header_end_);
    base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  }
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
  const std::int64_t timestamp_delta_ms = WrappingSubtract(timestamp_ms, base_timestamp_ms_);
  std::size_t size = 1 + VarintSize(timestamp_delta_ms) + VarintSize(record_count_) + NullableSize(key) + value_size +
                     VarintSize(static_cast<std::int64_t>(headers.size()));
  for (const HeaderView& header : headers) size += NullableSize(header.key) + NullableSize(header.value);
  const std::size_t before = batch_.size();
  const std::size_t after = before + VarintSize(static_cast<std::int64_t>(size)) + size;
  SLUICE_CHECK(after <= kBatchBytesUncompressedMax);
  // The callback's own count is not used: libstdc++ 12 passes the capacity instead.
  batch_.resize_and_overwrite(after, [&](char* data, std::size_t) {
    char* to = WriteVarint(data + before, static_cast<std::int64_t>(size));
    *to++ = 0;  // attributes
    to = WriteVarint(to, timestamp_delta_ms);
    to = WriteVarint(to, record_count_);
    to = WriteNullable(to, key);
    to = write_value(to);
    to = WriteVarint(to, static_cast<std::int64_t>(headers.size()));
    for (const HeaderView& header : headers) to = WriteNullable(WriteNullable(to, header.key), header.value);
    SLUICE_CHECK(to == data + after);
    return after;
  });
  ++record_count_;
}

void BatchBuilder::Add(std::int64_t timestamp_ms, std::optional<std::string_view> key,
                       std::optional<std::string_view> value, std::span<const HeaderView> headers) {
  AddRecord(timestamp_ms, key, NullableSize(value), headers, [&](char* to) { return WriteNullable(to, value); });
}

void BatchBuilder::AddFilled(std::int64_t timestamp_ms, std::optional<std::string_view> key, std::size_t value_bytes,
                             const std::function<void(char*)>& fill) {
  const auto bytes = static_cast<std::int64_t>(value_bytes);
  AddRecord(timestamp_ms, key, VarintSize(bytes) + value_bytes, {}, [&](char* to) {
    to = WriteVarint(to, bytes);
    fill(to);
    return to + value_bytes;
  });
}

void BatchBuilder::SetProducer(ProducerId id, std::int16_t epoch, std::int32_t base_sequence) {
  SLUICE_CHECK((id == kNoProducer && epoch == -1 && base_sequence == -1) ||
               (id.value >= 0 && epoch >= 0 && base_sequence >= 0));
  producer_ = id;
  producer_epoch_ = epoch;
  base_sequence_ = base_sequence;
}

void BatchBuilder::Finish(std::string& out) {
  SLUICE_CHECK(!empty());
  const std::size_t start = out.size();
  if (compression_ != Compression::kNone) {
    out.resize(start + header_end_);
    Compress(compression_, std::string_view(batch_).substr(header_end_), out);
  } else if (out.empty()) {
    out.swap(batch_);  // the memory of `out` serves the next batch
  } else {
    out.append(batch_);
  }
  const std::span<char> batch = std::span(out).subspan(start + front_bytes());
  BatchHeader header;
  header.batch_length = static_cast<std::int32_t>(batch.size() - kUncountedBytes);
  header.attributes = static_cast<std::int16_t>(compression_);
  header.last_offset_delta = record_count_ - 1;
  header.base_timestamp_ms = base_timestamp_ms_;
  header.max_timestamp_ms = max_timestamp_ms_;
  header.producer_id = producer_.value;
  header.producer_epoch = producer_epoch_;
  header.base_sequence = base_sequence_;
  header.record_count = record_count_;
  EncodeHeader(header, batch.data());
  SetChecksum(batch);
  batch_.clear();
  record_count_ = 0;
}

}  // namespace sluice::protocol
