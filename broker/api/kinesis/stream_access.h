// Which stream or consumer a request is about, for the operations that resource policies speak of: those on records,
// and descriptions. Besides its own a caller may name, by ARN, those of another account of this broker, where their
// policy allows it. What a policy denies is denied however the stream is named.
//
// Thread-safe.
#pragma once

#include <string_view>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/stream_argument.h"
#include "broker/stream_catalog.h"

namespace sluice::broker::kinesis {

/// The stream of a call's StreamName and StreamARN. `operation`: "PutRecord". Descriptions see a stream in any state;
/// for the others it is not there while it is CREATING or DELETING.
ApiResult<StreamPtr> AccessStream(const Context& context, const aws::Call& call, std::string_view operation);
/// The same where something else than these members names it.
ApiResult<StreamPtr> AccessStream(const Context& context, const aws::Caller& caller, const NamedStream& named,
                                  std::string_view operation);

/// The consumer that a call names. Its own policy and its stream's are asked both: a denial of either counts, and
/// either may allow.
ApiResult<Consumer> AccessConsumer(const Context& context, const aws::Call& call, std::string_view operation);

/// The caller, with the account of the call's StreamARN or ConsumerARN, if any: for the ARNs of the answer.
aws::Caller OwnerOf(const aws::Call& call);

}  // namespace sluice::broker::kinesis
