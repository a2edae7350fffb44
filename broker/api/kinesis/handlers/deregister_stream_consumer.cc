// DeregisterStreamConsumer: the consumer's subscriptions end, and the name is free at once, unless the consumer is to
// be DELETING for a time, as AWS's.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = ConsumerInputShape();
  return shape;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto consumer = FindConsumer(context, call);
  if (!consumer) return std::unexpected(consumer.error());
  if (consumer->state == StreamState::kDeleting) return std::string();
  bool is_there = false;
  const auto changed = context.parts.catalog.Change(consumer->stream->name, [&](StreamInfo& now) {
    is_there = now.kinesis.consumers.erase(consumer->name) > 0;
    return is_there ? Status() : Status(Code::kNotFound, "no consumer " + consumer->name);
  });
  const protocol::aws::ApiError gone = ConsumerNotFound(*consumer, call.caller());
  if (!changed && !is_there && changed.error().code() == Code::kNotFound) return std::unexpected(gone);
  if (!changed) return std::unexpected(FromStatus(changed.error(), consumer->stream->name, call.caller()));
  context.consumer_lifecycle->Deregistered(consumer->stream->id, consumer->name, consumer->info);
  context.subscriptions->EndConsumer(consumer->stream->id, consumer->name, gone);
  return std::string();
}

}  // namespace

aws::Operation DeregisterStreamConsumer(const Context& context) {
  return {"DeregisterStreamConsumer", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
