// What PutRecord and PutRecordBatch share: records are appended to the hidden stream of the delivery stream, those of
// one request to one shard, so that they stay in their order. They have no key.
//
// Threads: on the call's loop.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/aws/put.h"
#include "broker/api/firehose/context.h"
#include "broker/api/firehose/put_metrics.h"

namespace sluice::broker::firehose {

/// The delivery stream of a put. InvalidSourceException for one that reads a stream.
ApiResult<DeliveryInfoPtr> FindDirectPut(const Context& context, const aws::Call& call);

/// The records of a request; `records` are maps with Data. A record that is too large for the broker's own settings is
/// told as the API tells its limit; `place`: "record." or "records.", which get numbers.
ApiResult<std::vector<aws::PutEntry>> ReadEntries(const Context& context,
                                                  const std::vector<protocol::aws::Value>& records,
                                                  std::string_view place);

/// With whether the records are encrypted.
using PutDone = std::move_only_function<void(const aws::PutResults&, bool encrypted)>;
/// Appends durably. `done` runs on the call's loop, unless the delivery stream's stream has gone: then the call is
/// answered.
void Put(const Context& context, const aws::CallPtr& call, const DeliveryInfo& info, PutMetrics::Operation operation,
         std::vector<aws::PutEntry> entries, PutDone done);

/// Base64 text that names stream, shard, offset and time of a record.
std::string RecordId(const aws::PutResult& result, StreamId stream);
/// The error of a record that was not appended.
protocol::aws::ApiError PutError(const Status& why, std::string_view name, const aws::Caller& caller);

}  // namespace sluice::broker::firehose
