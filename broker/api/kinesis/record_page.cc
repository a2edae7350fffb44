// Taking batches apart, record by record.
#include "broker/api/kinesis/record_page.h"

#include <simdjson.h>

#include <algorithm>

#include "broker/api/kinesis/stream_text.h"
#include "protocol/base64.h"
#include "protocol/batch.h"
#include "protocol/check.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::size_t kFieldBytes = 256;  // about what a record's names, number and time take

/// About the bytes of the page in an answer, its data as base64.
std::size_t AnswerBytes(const PageRequest& page) {
  std::uint64_t bytes = 0;
  std::size_t records = 0;
  for (const protocol::Frame& frame : page.frames) {
    bytes += frame.size();
    records += frame.header().record_count;
  }
  return std::min(bytes, page.bytes_max) / 3 * 4 + std::min(records, page.records_max) * kFieldBytes;
}

class PageWriter {
 public:
  PageWriter(protocol::aws::Writer& writer, const PageRequest& page)
      : writer_(writer), page_(page), shard_(page.stream->FindShard(page.shard)) {
    SLUICE_CHECK(shard_ != nullptr);
    end_.next = page.first;
  }

  /// True while there is room for more.
  Result<bool> AddFrame(const protocol::Frame& frame) {
    auto reader = protocol::BatchReader::Open(frame.batch(), scratch_);
    if (!reader) return Error(reader.error());
    for (;;) {
      const auto record = reader->Next();
      if (!record) return Error(record.error());
      if (*record == nullptr) return true;
      const Offset offset = frame.base_offset() + static_cast<std::uint64_t>((*record)->offset_delta);
      if (offset < page_.first) continue;
      if (!Add(**record, offset, frame)) return false;
    }
  }
  PageEnd end() const { return end_; }

 private:
  bool Add(const protocol::RecordView& record, Offset offset, const protocol::Frame& frame) {
    const std::int64_t append_time_ms = frame.header().append_time_ms;
    const protocol::SequenceDigits number = RecordNumber(*shard_, offset, append_time_ms);
    const std::string key = PartitionKeyOf(record, number);
    const std::string_view data = record.value.value_or(std::string_view());
    const std::size_t bytes = key.size() + data.size();
    if (records_ == page_.records_max || (records_ > 0 && bytes_ + bytes > page_.bytes_max)) return false;
    writer_.BeginMap();
    writer_.Name("SequenceNumber").Text(number);
    writer_.Name("ApproximateArrivalTimestamp").Timestamp(append_time_ms);
    writer_.Name("Data").Bytes(data);
    writer_.Name("PartitionKey").Text(key);
    if (frame.opened()) writer_.Name("EncryptionType").Text("KMS");
    writer_.EndMap();
    ++records_;
    bytes_ += bytes;
    end_ = {offset + 1, append_time_ms, bytes_};
    return true;
  }

  protocol::aws::Writer& writer_;
  const PageRequest& page_;
  const ShardInfo* const shard_;
  std::string scratch_;  // of batches that are compressed
  std::size_t records_ = 0;
  std::uint64_t bytes_ = 0;
  PageEnd end_;
};

}  // namespace

Result<PageEnd> WriteRecords(protocol::aws::Writer& writer, const PageRequest& page) {
  PageWriter records(writer, page);
  bool all = true;
  writer.Reserve(writer.size() + AnswerBytes(page));
  writer.BeginList();
  for (const protocol::Frame& frame : page.frames) {
    const Result<bool> more = records.AddFrame(frame);
    if (!more) return Error(more.error());
    all = *more;
    if (!all) break;
  }
  writer.EndList();
  PageEnd end = records.end();
  if (all) end.next = std::max(end.next, page.frames_end);  // behind a loss that was accepted, too
  return end;
}

bool IsQuickToWrite(std::span<const protocol::Frame> frames) {
  constexpr std::uint64_t kBytesMax = 64u << 10;
  std::uint64_t bytes = 0;
  for (const protocol::Frame& frame : frames) {
    const auto header = protocol::ParseBatchHeader(frame.batch());
    bytes += frame.size();
    if (bytes > kBytesMax || !header || header->compression() != protocol::Compression::kNone) return false;
  }
  return true;
}

std::int64_t MillisBehind(std::int64_t last_append_ms, std::int64_t now_ms) {
  constexpr std::int64_t kSecond = 1'000;
  const std::int64_t behind_ms = std::max(now_ms - last_append_ms, std::int64_t{1});
  return (behind_ms + kSecond - 1) / kSecond * kSecond;
}

std::string PartitionKeyOf(const protocol::RecordView& record, std::string_view sequence_number) {
  if (!record.key || record.key->empty()) return std::string(sequence_number);
  if (simdjson::validate_utf8(record.key->data(), record.key->size())) return std::string(*record.key);
  return protocol::EncodeBase64(*record.key);
}

}  // namespace sluice::broker::kinesis
