// DeleteStream: the name is free at once. Not while a delivery stream reads it: what it has not delivered yet would be
// lost; nor while a delivery that is not done has dead letters in it. Nor while consumers are registered, unless the
// caller says so: then they go with it.
#include <fmt/format.h>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/log.h"

namespace sluice::broker::kinesis {
namespace {

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = StreamInputShape().Member("EnforceConsumerDeletion", BooleanShape());
  return shape;
}

std::string Held(const std::string& stream, const std::string& account, const Holder& holder) {
  if (holder.reason == HoldReason::kDeadLetters) {
    return fmt::format(
        "Stream {} under account {} is in use as a dead-letter stream by a delivery of {} that is not done: it appends "
        "dead letters to it, or delivers some of it again. Wait until it is done, or delete the delivery stream first.",
        stream, account, holder.name);
  }
  return fmt::format(
      "Stream {} under account {} feeds delivery stream {}, which would lose what it has not delivered. Delete the "
      "delivery stream first.",
      stream, account, holder.name);
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto found = FindStream(context, call);
  if (!found) return std::unexpected(found.error());
  const std::string& name = (*found)->name;
  if (context.lifecycle->StateOf(**found) == StreamState::kDeleting) return std::string();
  if (const auto holder = context.parts.holds.HolderOf((*found)->id)) {
    return std::unexpected(
        protocol::aws::ApiError("ResourceInUseException", Held(name, call.caller().account, *holder)));
  }
  if (!(*found)->kinesis.consumers.empty() && !BooleanOf(call, "EnforceConsumerDeletion")) {
    return std::unexpected(protocol::aws::ApiError(
        "ResourceInUseException",
        fmt::format("Stream {} under account {} has enhanced fan-out consumers registered. Deregister all enhanced "
                    "fan-out consumers before deleting the stream, or set EnforceConsumerDeletion.",
                    name, call.caller().account)));
  }
  const auto stream = context.parts.catalog.Delete(name);
  if (!stream) return std::unexpected(FromStatus(stream.error(), name, call.caller()));
  log::Info("stream deleted", {{"stream", name}, {"id", (*stream)->id.value}});
  context.lifecycle->Deleted(*stream);
  context.parts.shards.ForgetStream(*stream);
  return std::string();
}

}  // namespace

aws::Operation DeleteStream(const Context& context) {
  return {"DeleteStream", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
