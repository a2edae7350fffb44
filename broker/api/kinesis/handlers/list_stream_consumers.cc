// ListStreamConsumers: a page of a stream's consumers, by name.
#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/next_token.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {

using protocol::aws::Required;
using protocol::aws::Shape;

namespace {

constexpr std::int64_t kPageDefault = 100;

const Shape& Input() {
  static const Shape shape = Shape::Structure()
                                 .Member("StreamARN", StreamArnShape(), Required::kYes)
                                 .Member("NextToken", NextTokenShape())
                                 .Member("MaxResults", PageSizeShape())
                                 .Member("StreamCreationTimestamp", TimestampShape());
  return shape;
}

/// The name that the page begins behind; empty: with the first.
ApiResult<std::string> StartName(const Context& context, const aws::Call& call, const StreamInfo& stream) {
  const std::string_view text = TextOf(call, "NextToken");
  if (text.empty()) return std::string();
  const auto token = DecodeNextToken(text, NextToken::Of::kConsumers, context.token_key);
  const std::string of_stream = stream.name + "/";
  if (!token || !token->stream.starts_with(of_stream)) return std::unexpected(InvalidArgument("Invalid NextToken."));
  if (context.parts.clock.WallMs() - token->issued_ms > kTokenAgeMaxMs) return std::unexpected(ExpiredNextToken());
  return token->stream.substr(of_stream.size());
}

ApiResult<StreamPtr> FindNamedStream(const Context& context, const aws::Call& call) {
  auto stream = FindStream(context, call);
  const auto created = call.input().Find("StreamCreationTimestamp");
  if (stream && created && protocol::aws::ToTimestampMs(*created) / 1000 != CreatedSeconds(**stream)) {
    return std::unexpected(StreamNotFound((*stream)->name, call.caller()));  // an older one of this name
  }
  return stream;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const auto stream = FindNamedStream(context, call);
  if (!stream) return std::unexpected(stream.error());
  const auto start = StartName(context, call, **stream);
  if (!start) return std::unexpected(start.error());
  auto consumers = context.consumer_lifecycle->Deleting((*stream)->id);
  const auto& registered = (*stream)->kinesis.consumers;
  consumers.insert(registered.begin(), registered.end());
  auto left = static_cast<std::size_t>(IntegerOf(call, "MaxResults").value_or(kPageDefault));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("Consumers").BeginList();
  auto next = consumers.upper_bound(*start);
  for (; next != consumers.end() && left > 0; ++next, --left) {
    writer->BeginMap();
    const StreamState state =
        registered.contains(next->first) ? context.consumer_lifecycle->StateOf(next->second) : StreamState::kDeleting;
    WriteConsumer(*writer, {*stream, next->first, next->second}, NameOf(state), call.caller());
    writer->EndMap();
  }
  writer->EndList();
  if (next != consumers.end()) {
    const NextToken token{.of = NextToken::Of::kConsumers,
                          .issued_ms = context.parts.clock.WallMs(),
                          .last_shard = 0,
                          .stream = (*stream)->name + "/" + std::prev(next)->first};
    writer->Name("NextToken").Text(EncodeNextToken(token, context.token_key));
  }
  writer->EndMap();
  return writer->Take();
}

}  // namespace

aws::Operation ListStreamConsumers(const Context& context) {
  return {"ListStreamConsumers", Input, Answering(context, Handle)};
}

}  // namespace sluice::broker::kinesis
