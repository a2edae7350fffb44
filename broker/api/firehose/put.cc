// Reading entries, choosing the shard, naming records.
#include "broker/api/firehose/put.h"

#include <fmt/format.h>

#include "broker/api/firehose/delivery_argument.h"
#include "broker/api/firehose/errors.h"
#include "protocol/aws/shape.h"
#include "protocol/base64.h"

namespace sluice::broker::firehose {

using protocol::aws::ApiError;
using protocol::aws::Value;

namespace {

constexpr std::size_t kProblemsMax = 10;

void AppendNumber(std::string& bytes, std::uint64_t number, int width) {
  while (width-- > 0) bytes += static_cast<char>(number >> (8 * width));
}

}  // namespace

ApiResult<DeliveryInfoPtr> FindDirectPut(const Context& context, const aws::Call& call) {
  ApiResult<DeliveryInfoPtr> info = FindForPut(context, call);
  if (!info || (*info)->direct_put) return info;
  return std::unexpected(ApiError("InvalidSourceException",
                                  "This operation is not permitted on KinesisStreamAsSource delivery stream type."));
}

ApiResult<std::vector<aws::PutEntry>> ReadEntries(const Context& context, const std::vector<Value>& records,
                                                  std::string_view place) {
  const std::size_t bytes_max = aws::RecordRoom(context.parts.append_options);
  const protocol::HashKey anywhere{.high = context.parts.random.Next(), .low = context.parts.random.Next()};
  std::vector<aws::PutEntry> entries;
  std::vector<std::string> problems;
  for (const Value record : records) {
    const Value data = *record.Find("Data");
    entries.push_back({.key = {}, .data = data, .hash = anywhere, .bytes = protocol::aws::BlobBytes(data)});
    if (entries.back().bytes <= bytes_max || problems.size() == kProblemsMax) continue;
    const std::string number = place == "records." ? fmt::format("{}.member.", entries.size()) : "";
    problems.push_back(fmt::format(
        "Value at '{}{}data' failed to satisfy constraint: Member must have length less than or equal to {}", place,
        number, bytes_max));
  }
  if (!problems.empty()) return std::unexpected(protocol::aws::ValidationError(problems));
  return entries;
}

void Put(const Context& context, const aws::CallPtr& call, const DeliveryInfo& info, PutMetrics::Operation operation,
         std::vector<aws::PutEntry> entries, PutDone done) {
  const FirehoseParts& parts = context.parts;
  auto stream = parts.catalog.Find(info.source);
  if (!stream) return call->Fail(NotFound(info.name, call->caller()));  // deleted a moment ago
  const bool encrypted = (*stream)->encryption.on;
  std::vector<std::size_t> bytes;
  for (const aws::PutEntry& entry : entries) bytes.push_back(entry.bytes);
  aws::Put({.catalog = parts.catalog,
            .appends = parts.appends,
            .clock = parts.clock,
            .batch_bytes_max = parts.append_options.batch_bytes_max},
           call, std::move(*stream), std::move(entries),
           [encrypted, metrics = parts.put_metrics, name = info.name, operation, bytes = std::move(bytes),
            done = std::move(done)](const aws::PutResults& results) mutable {
             metrics->Count(name, operation, bytes, results);
             done(results, encrypted);
           });
}

std::string RecordId(const aws::PutResult& result, StreamId stream) {
  std::string bytes;
  AppendNumber(bytes, stream.value, 4);
  AppendNumber(bytes, result.shard->shard.value, 4);
  AppendNumber(bytes, result.appended->base_offset.value, 8);
  AppendNumber(bytes, static_cast<std::uint64_t>(result.appended->append_time_ms), 8);
  return protocol::EncodeBase64(bytes);
}

ApiError PutError(const Status& why, std::string_view name, const aws::Caller& caller) {
  if (why.code() == Code::kNotFound) return NotFound(name, caller);
  if (why.retriable()) return ServiceUnavailable();
  if (why.code() == Code::kFailedPrecondition) return KeyFailure(why);
  return {"InternalFailure", why.message(), 500};
}

}  // namespace sluice::broker::firehose
