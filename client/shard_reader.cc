// Fetches, and hands records over.
#include "client/shard_reader.h"

#include <fmt/format.h>

#include <utility>

#include "client/stream_lookup.h"
#include "protocol/check.h"

namespace sluice::client {

using protocol::wire::ReadFrom;

ShardReader::ShardReader(const ReaderContext& context, std::uint32_t shard, Position start)
    : context_(context),
      shard_(shard),
      backoff_(context.connection.options()),
      timer_(context.connection.io().context()),
      position_(start),
      next_offset_(start.offset) {}

void ShardReader::Take(std::uint32_t count, std::vector<ConsumedRecord>& records) {
  while (count > 0 && Advance()) {
    ConsumedRecord record;
    const Result<bool> taken = current_->Next(record);
    if (taken && *taken) {
      records.push_back(std::move(record));
      --count;
    } else {
      Finish(taken ? Status() : taken.error());
    }
  }
  const std::lock_guard lock(mutex_);
  if (current_) next_offset_ = current_->next_offset();
}

// Makes current_ something to read from; false where there is nothing.
bool ShardReader::Advance() {
  const std::lock_guard lock(mutex_);
  if (paused_ || (!current_ && !ready_)) return false;
  if (!current_) {
    current_ = std::move(ready_);
    taking_ = true;
    PostFetch();
  }
  return true;
}

void ShardReader::Finish(const Status& outcome) {
  const std::lock_guard lock(mutex_);
  next_offset_ = current_->next_offset();
  current_.reset();
  taking_ = false;
  if (outcome.ok()) return;
  error_ = outcome;
  ready_.reset();
}

Status ShardReader::TakeError() {
  const std::lock_guard lock(mutex_);
  const bool ended = at_end_ && !context_.follows;
  if ((error_.ok() && !ended) || told_ || current_ || ready_) return {};
  told_ = true;
  if (error_.ok()) {
    return {Code::kShardClosed, fmt::format("shard {} of stream '{}' was split or merged, and ends at offset {}; its "
                                            "children have what follows",
                                            shard_, context_.stream, end_offset_)};
  }
  return error_.WithContext(fmt::format("shard {} of stream '{}'", shard_, context_.stream));
}

bool ShardReader::stopped() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

bool ShardReader::finished() const {
  const std::lock_guard lock(mutex_);
  return at_end_ && !current_ && !ready_ && error_.ok();
}

void ShardReader::Start() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(started_, true)) PostFetch();
}

void ShardReader::Seek(Position position) {
  current_.reset();
  const std::lock_guard lock(mutex_);
  ++generation_;
  position_ = position;
  next_offset_ = position.offset;
  ready_.reset();
  taking_ = false;
  fetching_ = false;
  at_end_ = false;
  error_ = Status();
  told_ = false;
  PostFetch();
}

void ShardReader::Pause(bool paused) {
  const std::lock_guard lock(mutex_);
  paused_ = paused;
  if (!paused) PostFetch();
}

ShardProgress ShardReader::progress() const {
  const std::lock_guard lock(mutex_);
  return {shard_, next_offset_, end_offset_};
}

void ShardReader::PostFetch() {
  context_.connection.io().Post([this] { Fetch(); });
}

void ShardReader::Fetch() {
  Call call{.operation = protocol::wire::Operation::kRead,
            .control = {},
            .body = nullptr,
            .timeout = context_.connection.options().request_timeout + context_.fetch_wait};
  std::uint64_t generation = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || fetching_ || paused_ || ready_ || at_end_ || !error_.ok()) return;
    fetching_ = true;
    generation = generation_;
    call.control = EncodeRequest();
  }
  context_.connection.Make(std::move(call), [this, generation, sent_at = Clock::now()](Result<Answer> answer) {
    Fetched(generation, sent_at, std::move(answer));
  });
}

std::string ShardReader::EncodeRequest() const {
  protocol::wire::ReadRequest request{.stream_id = context_.stream_id.value, .shard = shard_};
  switch (position_.kind) {
    case Position::Kind::kOldest:
      request.from = ReadFrom::kOldest;
      break;
    case Position::Kind::kLatest:
      request.from = ReadFrom::kLatest;
      break;
    case Position::Kind::kOffset:
      request.from = ReadFrom::kOffset;
      break;
    case Position::Kind::kTime:
      request.from = ReadFrom::kTime;
      break;
  }
  request.offset = position_.offset;
  request.time_ms = position_.time_ms;
  request.bytes_max = context_.fetch_bytes_max;
  // Where the place is not known yet, the answer is wanted at once: it says where to go on.
  if (request.from == ReadFrom::kOffset) request.wait_ms = static_cast<std::uint32_t>(context_.fetch_wait.count());
  return std::string(Encode(request).view());
}

void ShardReader::Fetched(std::uint64_t generation, Clock::time_point sent_at, Result<Answer> answer) {
  if (!answer) return Failed(generation, answer.error());
  Result<bool> has_records = false;
  bool waited = false;
  bool at_end = false;
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    waited = position_.kind == Position::Kind::kOffset;
    has_records = TakeAnswer(std::move(*answer));
    if (has_records) fetching_ = false;
    at_end = at_end_;
  }
  if (!has_records) return Failed(generation, has_records.error());
  if (*has_records || at_end) {
    backoff_.Reset();
    return context_.news();
  }
  // The broker should have waited; do not ask in a circle where it did not.
  if (waited && Clock::now() - sent_at < context_.fetch_wait / 2) return FetchLater();
  backoff_.Reset();
  Fetch();
}

// Under mutex_. True where the answer has records.
Result<bool> ShardReader::TakeAnswer(Answer answer) {
  const auto read = protocol::wire::DecodeReadResponse(answer.control);
  if (!read) return Error(Code::kCorruption, read.error().message());
  // Where it lies above the offset that was asked for, what is between was lost and given up.
  const std::uint64_t first = read->first_offset;
  const bool backwards = position_.kind == Position::Kind::kOffset && first < position_.offset;
  if (backwards || read->next_offset < first || (read->next_offset == first) != answer.body.empty()) {
    return Error(Code::kCorruption, fmt::format("the broker's answer of {} bytes leads from offset {} to {}",
                                                answer.body.size(), first, read->next_offset));
  }
  if (!taking_) next_offset_ = first;
  end_offset_ = read->end_offset;
  position_ = Position::AtOffset(read->next_offset);
  at_end_ = read->closed && read->next_offset == read->end_offset;
  if (answer.body.empty()) return false;
  SLUICE_CHECK(!ready_);
  ready_ =
      std::make_unique<AnswerDecoder>(ShardId{context_.stream_id, ShardIndex(shard_)}, first, std::move(answer.body));
  return true;
}

void ShardReader::Failed(std::uint64_t generation, const Status& why) {
  if (why.code() == Code::kNotFound) {
    return FindOutWhatBecame(context_.connection, context_.stream, context_.stream_id.value,
                             [this, generation](const Status& gone) { Halt(generation, gone); });
  }
  if (!why.retriable()) return Halt(generation, why);
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    fetching_ = false;
  }
  FetchLater();
}

void ShardReader::Halt(std::uint64_t generation, const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    fetching_ = false;
    if (error_.ok()) error_ = why;  // the first error counts: what was fetched ahead of it does not
  }
  context_.news();
}

void ShardReader::FetchLater() {
  timer_.expires_after(backoff_.Next());
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Fetch();
  });
}

void ShardReader::Stop() { timer_.cancel(); }

}  // namespace sluice::client
