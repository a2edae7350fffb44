// Taking consumers' ARNs apart.
#include "broker/api/kinesis/consumers.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/api/kinesis/errors.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;

namespace {

constexpr std::string_view kBetween = "/consumer/";

/// Takes "orders/consumer/billing:1700000000" apart, or what is called "orders".
NamedConsumer ConsumerInPath(const NamedStream& path) {
  const std::string_view text = path.name;
  const std::size_t end_of_stream = text.find(kBetween);
  NamedConsumer named{.stream = path, .name = {}, .created_s = std::nullopt};
  if (end_of_stream == text.npos) return named;
  named.stream.name = text.substr(0, end_of_stream);
  const std::string_view consumer = text.substr(end_of_stream + kBetween.size());
  named.name = consumer.substr(0, consumer.rfind(':'));
  named.created_s = consumer.substr(std::min(named.name.size() + 1, consumer.size()));
  return named;
}

}  // namespace

std::string ConsumerArn(const Consumer& consumer, const aws::Caller& caller) {
  return fmt::format("{}{}{}:{}", StreamArn(consumer.stream->name, caller), kBetween, consumer.name,
                     consumer.info.created_ms / 1000);
}

ApiResult<NamedConsumer> ConsumerInCall(const aws::Call& call) {
  const std::string_view arn = TextOf(call, "ConsumerARN");
  const std::string_view name = TextOf(call, "ConsumerName");
  if (arn.empty() && (name.empty() || TextOf(call, "StreamARN").empty())) {
    return std::unexpected(InvalidArgument("Either ConsumerARN, or both StreamARN and ConsumerName must be provided."));
  }
  const ApiResult<NamedStream> path = arn.empty() ? StreamInCall(call) : StreamInArn(arn, call.caller());
  if (!path) return std::unexpected(path.error());
  if (arn.empty()) return NamedConsumer{.stream = *path, .name = name, .created_s = std::nullopt};
  const NamedConsumer named = ConsumerInPath(*path);
  if (!name.empty() && name != named.name) {
    return std::unexpected(InvalidArgument(
        fmt::format("Input consumer name {} doesn't match the inferred name in consumer arn {}", name, named.name)));
  }
  return named;
}

ApiResult<Consumer> FindConsumer(const Context& context, const aws::Caller& caller, const NamedConsumer& named) {
  const auto stream = FindStream(context, caller, named.stream.name);
  if (!stream) return std::unexpected(stream.error());
  Consumer consumer{*stream, std::string(named.name), {}};
  const auto& registered = (*stream)->kinesis.consumers;
  if (const auto found = registered.find(consumer.name); found != registered.end()) {
    consumer.info = found->second;
    consumer.state = context.consumer_lifecycle->StateOf(found->second);
  } else {
    const auto deleting = context.consumer_lifecycle->Deleting((*stream)->id);
    const auto gone = deleting.find(consumer.name);
    if (gone == deleting.end()) return std::unexpected(ConsumerNotFound(consumer, caller));
    consumer.info = gone->second;
    consumer.state = StreamState::kDeleting;
  }
  if (named.created_s && *named.created_s != std::to_string(consumer.info.created_ms / 1000)) {
    return std::unexpected(ConsumerNotFound(consumer, caller));
  }
  return consumer;
}

ApiResult<Consumer> FindConsumer(const Context& context, const aws::Call& call) {
  const ApiResult<NamedConsumer> named = ConsumerInCall(call);
  if (!named) return std::unexpected(named.error());
  if (named->stream.account != call.caller().account) return std::unexpected(UnknownAccount());
  return FindConsumer(context, call.caller(), *named);
}

ApiResult<Resource> FindStreamOrConsumer(const Context& context, const aws::Call& call) {
  const ApiResult<NamedStream> path = StreamInArn(TextOf(call, "ResourceARN"), call.caller());
  if (!path) return std::unexpected(path.error());
  if (path->account != call.caller().account) return std::unexpected(UnknownAccount());
  const NamedConsumer named = ConsumerInPath(*path);
  if (named.stream.name != path->name) {
    auto consumer = FindConsumer(context, call.caller(), named);
    if (!consumer) return std::unexpected(consumer.error());
    if (consumer->state == StreamState::kDeleting) return std::unexpected(ConsumerNotFound(*consumer, call.caller()));
    return Resource{consumer->stream, consumer->name};
  }
  const auto stream = FindStream(context, call.caller(), named.stream.name);
  if (!stream) return std::unexpected(stream.error());
  return Resource{*stream, ""};
}

ApiError ConsumerNotFound(std::string_view consumer, std::string_view stream, const aws::Caller& caller) {
  return {"ResourceNotFoundException",
          fmt::format("Consumer {} under stream {} not found for account {}.", consumer, stream, caller.account)};
}

ApiError ConsumerNotFound(const Consumer& consumer, const aws::Caller& caller) {
  return ConsumerNotFound(consumer.name, consumer.stream->name, caller);
}

ApiError ConsumerNotActive(const Consumer& consumer, const aws::Caller& caller) {
  return {"ResourceInUseException",
          fmt::format("Consumer {} under stream {} under account {} not ACTIVE, instead in state {}", consumer.name,
                      consumer.stream->name, caller.account, NameOf(consumer.state))};
}

void WriteConsumer(protocol::aws::Writer& writer, const Consumer& consumer, std::string_view status,
                   const aws::Caller& caller) {
  writer.Name("ConsumerName").Text(consumer.name);
  writer.Name("ConsumerARN").Text(ConsumerArn(consumer, caller));
  writer.Name("ConsumerStatus").Text(status);
  writer.Name("ConsumerCreationTimestamp").Timestamp(consumer.info.created_ms / 1000 * 1000);
}

}  // namespace sluice::broker::kinesis
