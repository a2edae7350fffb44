// Walks frames, batches and records.
#include "client/answer_decoder.h"

#include <fmt/format.h>

namespace sluice::client {

Result<bool> AnswerDecoder::Next(ConsumedRecord& record) {
  for (;;) {
    if (!batch_) {
      if (rest_.empty()) return false;
      if (Status opened = OpenFrame(); !opened.ok()) return Error(std::move(opened));
    }
    const Result<const protocol::RecordView*> next = batch_->Next();
    if (!next) return std::unexpected(next.error());
    if (*next == nullptr) {
      batch_.reset();
      continue;
    }
    const protocol::RecordView& view = **next;
    const std::uint64_t offset = frame_.base_offset.value + static_cast<std::uint32_t>(view.offset_delta);
    if (offset < next_offset_) continue;
    next_offset_ = offset + 1;
    record.shard = shard_.index.value;
    record.offset = offset;
    record.timestamp_ms = view.timestamp_ms;
    record.append_time_ms = frame_.append_time_ms;
    record.key = view.key;
    record.value.assign(view.value.value_or(std::string_view()));
    record.headers.clear();
    for (const auto& [key, value] : view.headers) record.headers.emplace_back(key, value.value_or(std::string_view()));
    return true;
  }
}

Status AnswerDecoder::OpenFrame() {
  const auto frame = protocol::VerifyFrame(rest_);
  if (!frame) return frame.error();
  if (frame->shard != shard_) {
    return {Code::kCorruption, fmt::format("a frame of shard {} came in an answer for shard {}", ToString(frame->shard),
                                           ToString(shard_))};
  }
  if (frame->base_offset.value > next_offset_) {
    return {Code::kCorruption, fmt::format("the records from offset {} to {} are missing in the broker's answer",
                                           next_offset_, frame->base_offset.value - 1)};
  }
  frame_ = *frame;
  scratch_.clear();
  auto batch = protocol::BatchReader::Open(rest_.substr(protocol::kFrameHeaderSize, frame->payload_bytes), scratch_);
  if (!batch) return batch.error();
  if (static_cast<std::uint32_t>(batch->header().record_count) != frame->record_count) {
    return {Code::kCorruption,
            fmt::format("the frame at offset {} says {} records, its batch {}", frame->base_offset.value,
                        frame->record_count, batch->header().record_count)};
  }
  batch_.emplace(std::move(*batch));
  rest_.remove_prefix(frame->total_size());
  return {};
}

}  // namespace sluice::client
