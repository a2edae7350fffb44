// Read, write, read on. What ends a subscription while it waits for something is seen when that comes: stream_ is null
// then.
#include "broker/api/kinesis/subscription.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/api/kinesis/child_shards.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/page_memory.h"
#include "broker/api/kinesis/stream_access.h"
#include "broker/api/kinesis/stream_text.h"
#include "protocol/aws/event_stream.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

constexpr std::uint64_t kEventBytesMax = 1u << 20;  // keys and data; a first record is given whatever its size

ApiError AnotherOne(const Consumer& consumer, const aws::Caller& owner) {
  return {"ResourceInUseException",
          fmt::format("Another active subscription exists for this consumer: {}", ConsumerArn(consumer, owner))};
}

}  // namespace

/// An event that is being made.
struct Subscription::Page {
  Page(PageMemory& memory, StreamPtr stream, ShardIndex shard) : share(memory, kEventBytesMax) {
    request.stream = std::move(stream);
    request.shard = shard;
    request.records_max = SIZE_MAX;
    request.bytes_max = share.bytes();
  }
  const PageShare share;
  PageRequest request;
  Offset shard_end;
  bool shard_closed = false;  // that end is final
};

Subscription::Subscription(const Context& context, aws::CallPtr call, Target target)
    : context_(context),
      call_(std::move(call)),
      target_(std::move(target)),
      key_{target_.consumer.stream->id, target_.consumer.name, target_.shard},
      from_(target_.from) {}

void Subscription::Begin() {
  if (auto wrong = Enter()) return call_->Fail(std::move(*wrong));
  end_ms_ = NowMs() + context_.subscriptions->options().life_ms;
  stream_ = call_->BeginStream(protocol::aws::kEventStreamType,
                               [me = shared_from_this()](aws::StreamNews news) { me->OnNews(news); });
  const auto writer = call_->NewWriter();
  writer->BeginMap();
  writer->EndMap();
  stream_->Write(
      protocol::aws::EventMessage({.type = "initial-response", .content_type = call_->content_type()}, writer->Take()));
  Read();
}

std::optional<ApiError> Subscription::Enter() {
  const ApiError another = AnotherOne(target_.consumer, OwnerOf(*call_));
  const auto end = [weak = weak_from_this(), &loop = call_->loop()](const ApiError& why) {
    loop.Post([weak, why] {
      if (const auto me = weak.lock()) me->FailWith(why);
    });
  };
  const auto ticket = context_.subscriptions->Begin(key_, NowMs(), end, another);
  if (!ticket) return another;
  ticket_ = *ticket;
  // A consumer that was deregistered before this is in the registry would not be told.
  const auto still = FindConsumer(context_, call_->caller(), *ConsumerInCall(*call_));
  if (still && still->state != StreamState::kDeleting) return std::nullopt;
  Leave();
  return still ? ConsumerNotFound(*still, call_->caller()) : still.error();
}

void Subscription::OnNews(aws::StreamNews news) {
  switch (news) {
    case aws::StreamNews::kRoom:
      if (std::exchange(waiting_for_room_, false)) Read();
      return;
    case aws::StreamNews::kStopping:
      return End();
    case aws::StreamNews::kGone:
      stream_ = nullptr;
      return Leave();
  }
}

void Subscription::Read() {
  if (!stream_) return;
  const std::int64_t left_ms = end_ms_ - NowMs();
  if (left_ms <= 0) return End();
  waiting_for_room_ = !stream_->has_room();
  if (waiting_for_room_) return;
  ReadRequest request{.stream = key_.stream, .shard = key_.shard, .from = from_};
  request.bytes_max = kEventBytesMax;
  request.wait_ms =
      static_cast<std::uint32_t>(std::min<std::int64_t>(left_ms, context_.subscriptions->options().idle_ms));
  context_.parts.reads.Read(call_->loop(), std::move(request),
                            [me = shared_from_this()](Result<ReadAnswer> answer) { me->Take(std::move(answer)); });
}

void Subscription::Take(Result<ReadAnswer> answer) {
  if (!stream_) return;
  if (!answer) return ReadFailed(answer.error());
  if (answer->run.frames.empty() && NowMs() >= end_ms_) return End();
  auto page = std::make_shared<Page>(*context_.pages, target_.consumer.stream, key_.shard);
  page->request.first = answer->first;
  page->request.frames = std::move(answer->run.frames);
  page->request.frames_end = answer->run.next;
  page->shard_end = answer->end;
  page->shard_closed = answer->closed;
  if (!IsQuickToWrite(page->request.frames)) return WritePage(page);
  Written(MakeEvent(*page));
}

void Subscription::ReadFailed(const Status& why) {
  const bool at_oldest = std::holds_alternative<FromOldest>(from_);
  if (why.code() == Code::kOutOfRange && !at_oldest) {
    from_ = FromOldest();  // retention has removed what was to come next
    return Read();
  }
  if (why.code() == Code::kUnavailable) return End();  // the broker is stopping
  if (why.code() == Code::kNotFound) return FailWith(StreamNotFound(target_.consumer.stream->name, call_->caller()));
  if (why.code() == Code::kFailedPrecondition) return FailWith(KeyFailure(why));
  FailWith({"InternalFailureException", why.message()});
}

void Subscription::WritePage(const std::shared_ptr<Page>& page) {
  context_.parts.shards.loops().RunBlocking([me = shared_from_this(), page] {
    me->call_->loop().Post([me, event = me->MakeEvent(*page)]() mutable { me->Written(std::move(event)); });
  });
}

Result<Subscription::Event> Subscription::MakeEvent(const Page& page) const {
  const auto writer = call_->NewWriter();
  writer->BeginMap();
  writer->Name("Records");
  const Result<PageEnd> end = WriteRecords(*writer, page.request);
  if (!end) return Error(end.error());
  const bool at_end = end->next >= page.shard_end;
  const bool over = at_end && page.shard_closed;
  if (over) {
    const auto stream = context_.parts.catalog.Find(key_.stream);  // it knows the children
    WriteChildShards(*writer, stream ? **stream : *page.request.stream, key_.shard);
  } else {
    writer->Name("ContinuationSequenceNumber").Text(PlaceNumber(*page.request.stream, key_.shard, end->next));
  }
  writer->Name("MillisBehindLatest")
      .Integer(at_end ? 0 : MillisBehind(end->last_append_ms, context_.parts.clock.WallMs()));
  writer->EndMap();
  return Event{protocol::aws::EventMessage({.type = "SubscribeToShardEvent", .content_type = call_->content_type()},
                                           writer->Take()),
               end->next, over};
}

// Reads on in another turn of the loop, so that others have theirs.
void Subscription::Written(Result<Event> event) {
  if (!stream_) return;
  if (!event) return FailWith({"InternalFailureException", event.error().message()});
  stream_->Write(std::move(event->message));
  if (event->over) return End();
  from_ = event->next;
  call_->loop().Post([me = shared_from_this()] { me->Read(); });
}

void Subscription::FailWith(const ApiError& error) {
  if (!stream_) return;
  const auto writer = call_->NewWriter();
  writer->BeginMap();
  writer->Name("message").Text(error.message);
  writer->EndMap();
  stream_->Write(protocol::aws::EventMessage(
      {.type = error.type, .content_type = call_->content_type(), .is_exception = true}, writer->Take()));
  End();
}

void Subscription::End() {
  if (const auto stream = std::exchange(stream_, nullptr)) stream->End();
  Leave();
}

void Subscription::Leave() { context_.subscriptions->Ended(key_, ticket_); }

}  // namespace sluice::broker::kinesis
