// GetRecords: a page of records from where an iterator points, and the iterator behind them.
//
// Whole frames are read until they hold as many records as are asked for; the page ends within a frame where it must,
// and so does the next iterator. Small pages of plain batches are written on the call's loop, others on the blocking
// pool: decompressing and encoding megabytes would hold up the loop's other connections.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "broker/api/kinesis/child_shards.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/page_memory.h"
#include "broker/api/kinesis/record_page.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/shard_iterator.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_argument.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::int64_t kRecordsMax = 10'000;

const Shape& Input() {
  static const Shape iterator = Shape::Text().Length(1, 512);
  static const Shape shape = Shape::Structure()
                                 .Member("ShardIterator", iterator, Required::kYes)
                                 .Member("Limit", PageSizeShape())
                                 .Member("StreamARN", StreamArnShape())
                                 .Member("DryRun", BooleanShape());
  return shape;
}

/// Where the shard ends.
struct ShardEnd {
  Offset offset;
  bool closed = false;  // it stays there
};

/// One call, until its page is complete.
struct PendingPage {
  PendingPage(aws::CallPtr call_of, PageRequest page_of, PageMemory& memory)
      : call(std::move(call_of)), page(std::move(page_of)), from(page.first), share(memory) {
    page.bytes_max = share.bytes();
  }

  aws::CallPtr call;
  PageRequest page;
  Offset from;   // where the next read begins
  ShardEnd end;  // at the last read
  const PageShare share;
  std::uint64_t bytes = 0;
};
using PagePtr = std::shared_ptr<PendingPage>;

/// "Thu Jan 22 01:22:02 UTC 2015".
std::string FormatTime(std::int64_t ms) {
  return fmt::format("{:%a %b %d %H:%M:%S UTC %Y}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

ApiError ExpiredIterator(std::int64_t issued_ms, std::int64_t now_ms) {
  return {"ExpiredIteratorException",
          fmt::format("Iterator expired. The iterator was created at time {} while right now it is {} which is further "
                      "in the future than the tolerated delay of {} milliseconds.",
                      FormatTime(issued_ms), FormatTime(now_ms), kIteratorAgeMaxMs)};
}

/// The call's iterator, and the account whose stream its StreamARN names.
struct Place {
  ShardIterator iterator;
  std::string_view account;
};

ApiResult<Place> ReadIterator(const Context& context, const aws::Call& call) {
  auto iterator = DecodeShardIterator(TextOf(call, "ShardIterator"), context.token_key);
  if (!iterator) return std::unexpected(InvalidArgument("Invalid ShardIterator."));
  std::string_view account = call.caller().account;
  if (const std::string_view arn = TextOf(call, "StreamARN"); !arn.empty()) {
    const ApiResult<NamedStream> named = StreamInArn(arn, call.caller());
    if (!named) return std::unexpected(named.error());
    if (named->name != iterator->stream_name) {
      return std::unexpected(
          InvalidArgument(fmt::format("Input stream name {} doesn't match the inferred name in stream arn {}",
                                      iterator->stream_name, named->name)));
    }
    account = named->account;
  }
  const std::int64_t now_ms = context.parts.clock.WallMs();
  if (now_ms - iterator->issued_ms > kIteratorAgeMaxMs) {
    return std::unexpected(ExpiredIterator(iterator->issued_ms, now_ms));
  }
  return Place{std::move(*iterator), account};
}

/// The page that is asked for, without its frames.
ApiResult<PageRequest> ReadInput(const Context& context, const aws::Call& call) {
  const ApiResult<Place> place = ReadIterator(context, call);
  if (!place) return std::unexpected(place.error());
  const ShardIterator* iterator = &place->iterator;
  auto stream = AccessStream(context, call.caller(), {iterator->stream_name, place->account}, "GetRecords");
  if (!stream) return std::unexpected(stream.error());
  if (!CheckShard(**stream, iterator->shard).ok()) {
    return std::unexpected(NoSuchShard(iterator->shard, (*stream)->name, call.caller()));
  }
  if (auto dry = CheckDryRun(call, "GetRecords")) return std::unexpected(std::move(*dry));
  // All records of a stream that was deleted and made again are behind an iterator of the old one.
  const bool same_stream = (*stream)->id == iterator->stream;
  return PageRequest{.stream = *stream,
                     .shard = iterator->shard,
                     .first = same_stream ? iterator->next : Offset(0),
                     .records_max = static_cast<std::size_t>(IntegerOf(call, "Limit").value_or(kRecordsMax)),
                     .bytes_max = 0,  // the page's share, once it is begun
                     .frames = {},
                     .frames_end = {}};
}

std::string NextIterator(const Context& context, const PageRequest& page, Offset next) {
  return EncodeShardIterator({.stream_name = page.stream->name,
                              .stream = page.stream->id,
                              .shard = page.shard,
                              .next = next,
                              .issued_ms = context.parts.clock.WallMs(),
                              .salt = context.parts.random.Next()},
                             context.token_key);
}

Result<std::string> WriteAnswer(const Context& context, protocol::aws::Writer& writer, const PageRequest& page,
                                const ShardEnd& shard_end) {
  writer.BeginMap();
  writer.Name("Records");
  const Result<PageEnd> end = WriteRecords(writer, page);
  if (!end) return Error(end.error());
  if (context.throttle != nullptr) context.throttle->ChargeRead({page.stream->id, page.shard}, end->bytes);
  const bool at_end = end->next >= shard_end.offset;
  const bool over = at_end && shard_end.closed;
  if (!over) writer.Name("NextShardIterator").Text(NextIterator(context, page, end->next));
  writer.Name("MillisBehindLatest")
      .Integer(at_end ? 0 : MillisBehind(end->last_append_ms, context.parts.clock.WallMs()));
  if (over) {
    const auto stream = context.parts.catalog.Find(page.stream->id);  // it may be of after this call's beginning
    WriteChildShards(writer, stream ? **stream : *page.stream, page.shard);
  }
  writer.EndMap();
  return writer.Take();
}

void Finish(aws::Call& call, Result<std::string> body) {
  if (!body) return call.Fail(InternalFailure(body.error()));
  call.Answer(std::move(*body));
}

void Answer(const Context& context, const PagePtr& pending, ShardEnd shard_end) {
  if (IsQuickToWrite(pending->page.frames)) {
    return Finish(*pending->call, WriteAnswer(context, *pending->call->NewWriter(), pending->page, shard_end));
  }
  context.parts.shards.loops().RunBlocking([&context, pending, shard_end] {
    auto body = WriteAnswer(context, *pending->call->NewWriter(), pending->page, shard_end);
    pending->call->loop().Post(
        [pending, body = std::move(body)]() mutable { Finish(*pending->call, std::move(body)); });
  });
}

void Read(const Context& context, const PagePtr& pending);

/// Takes what a read gave; reads on while the page is not full.
void Take(const Context& context, const PagePtr& pending, Result<ReadAnswer> answer) {
  PageRequest& page = pending->page;
  if (!answer && answer.error().code() == Code::kOutOfRange && page.frames.empty()) {
    return Read(context, pending);  // retention has removed what was there a moment ago
  }
  if (!answer && !page.frames.empty()) return Answer(context, pending, pending->end);  // the next call is told
  if (!answer) return pending->call->Fail(RecordsFailure(answer.error(), page.stream->name, pending->call->caller()));
  const bool nothing_new = answer->run.frames.empty();
  for (protocol::Frame& frame : answer->run.frames) {
    pending->bytes += frame.size();
    page.frames.push_back(std::move(frame));
  }
  page.frames_end = pending->from = answer->run.next;
  pending->end = {answer->end, answer->closed};
  const std::uint64_t records = page.frames_end - std::min(page.frames_end, page.first);
  const bool full = records >= page.records_max || pending->bytes >= page.bytes_max;
  if (nothing_new || full || page.frames_end >= answer->end) {
    return Answer(context, pending, pending->end);
  }
  Read(context, pending);
}

void Read(const Context& context, const PagePtr& pending) {
  const PageRequest& page = pending->page;
  const auto log = context.parts.store.OpenShard({page.stream->id, page.shard});
  const Offset end = log->durable_end();
  if (pending->from > end) return Answer(context, pending, {end});  // such a place was never given by this log
  ReadRequest request{.stream = page.stream->id, .shard = page.shard, .from = pending->from};
  if (pending->from < log->oldest()) request.from = FromOldest();
  request.bytes_max = page.bytes_max;
  request.records_max = page.records_max;
  context.parts.reads.Read(pending->call->loop(), std::move(request), [&context, pending](Result<ReadAnswer> answer) {
    Take(context, pending, std::move(answer));
  });
}

void Run(const Context& context, const aws::CallPtr& call) {
  auto page = ReadInput(context, *call);
  if (!page) return call->Fail(std::move(page.error()));
  if (context.throttle != nullptr && !context.throttle->TakeRead({page->stream->id, page->shard})) {
    return call->Fail(RateExceeded(page->shard, page->stream->name, call->caller()));
  }
  Read(context, std::make_shared<PendingPage>(call, std::move(*page), *context.pages));
}

}  // namespace

aws::Operation GetRecords(const Context& context) {
  return {"GetRecords", Input, [&context](const aws::CallPtr& call) { Run(context, call); }};
}

}  // namespace sluice::broker::kinesis
