// ListStreams: a page of the streams, by name.
#include <algorithm>

#include "broker/api/kinesis/errors.h"
#include "broker/api/kinesis/handlers/operations.h"
#include "broker/api/kinesis/next_token.h"
#include "broker/api/kinesis/shapes.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/api/kinesis/stream_text.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kPageDefault = 100;

const protocol::aws::Shape& Input() {
  static const protocol::aws::Shape shape = protocol::aws::Shape::Structure()
                                                .Member("Limit", PageSizeShape())
                                                .Member("ExclusiveStartStreamName", StreamNameShape())
                                                .Member("NextToken", NextTokenShape());
  return shape;
}

/// The name that the page begins behind; empty: with the first.
ApiResult<std::string> StartName(const Context& context, const aws::Call& call) {
  const std::string_view name = TextOf(call, "ExclusiveStartStreamName");
  const std::string_view text = TextOf(call, "NextToken");
  if (text.empty()) return std::string(name);
  if (!name.empty()) {
    return std::unexpected(InvalidArgument("ExclusiveStartStreamName and NextToken cannot be provided together."));
  }
  auto token = DecodeNextToken(text, NextToken::Of::kStreams, context.token_key);
  if (!token) return std::unexpected(InvalidArgument("Invalid NextToken."));
  if (context.parts.clock.WallMs() - token->issued_ms > kTokenAgeMaxMs) return std::unexpected(ExpiredNextToken());
  return std::move(token->stream);
}

std::string Answer(const Context& context, const aws::Call& call, const std::vector<StreamPtr>& page, bool more) {
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("StreamNames").BeginList();
  for (const StreamPtr& stream : page) writer->Text(stream->name);
  writer->EndList();
  writer->Name("HasMoreStreams").Boolean(more);
  if (more) {
    const NextToken next{.of = NextToken::Of::kStreams,
                         .issued_ms = context.parts.clock.WallMs(),
                         .last_shard = 0,
                         .stream = page.back()->name};
    writer->Name("NextToken").Text(EncodeNextToken(next, context.token_key));
  }
  writer->Name("StreamSummaries").BeginList();
  for (const StreamPtr& stream : page) {
    writer->BeginMap();
    WriteIdentity(*writer, *context.lifecycle->Told(stream), context.lifecycle->StateOf(*stream), call.caller());
    writer->EndMap();
  }
  writer->EndList();
  writer->EndMap();
  return writer->Take();
}

const std::string& NameOfStream(const StreamPtr& stream) { return stream->name; }

/// By name, with those that are DELETING.
std::vector<StreamPtr> AllStreams(const Context& context) {
  std::vector<StreamPtr> streams = context.parts.catalog.List();
  for (StreamPtr& deleting : context.lifecycle->Deleting()) {
    const auto place = std::ranges::lower_bound(streams, deleting->name, {}, NameOfStream);
    if (place == streams.end() || (*place)->name != deleting->name) streams.insert(place, std::move(deleting));
  }
  return streams;
}

ApiResult<std::string> Handle(const Context& context, const aws::Call& call) {
  const ApiResult<std::string> start = StartName(context, call);
  if (!start) return std::unexpected(start.error());
  std::vector<StreamPtr> page = AllStreams(context);
  const auto first = std::ranges::upper_bound(page, *start, {}, NameOfStream);
  page.erase(page.begin(), first);
  const auto limit = static_cast<std::size_t>(IntegerOf(call, "Limit").value_or(kPageDefault));
  const bool more = page.size() > limit;
  if (more) page.resize(limit);
  return Answer(context, call, page, more);
}

}  // namespace

// On the blocking pool, as there may be very many streams.
aws::Operation ListStreams(const Context& context) {
  return {"ListStreams", Input, Answering(context, Handle), aws::OperationThread::kBlocking};
}

}  // namespace sluice::broker::kinesis
