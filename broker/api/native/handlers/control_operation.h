// The control operations of the native protocol: one file each, and a table that finds them by number.
//
// A handler gets the bytes of its control message and gives those of its answer. It may block: it runs on the blocking
// pool, or on the delivery thread where the table says so.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "broker/append_service.h"
#include "broker/delivery_control.h"
#include "broker/encryption/keyring.h"
#include "broker/groups/group_service.h"
#include "broker/reshard.h"
#include "broker/retention_holds.h"
#include "broker/shards.h"
#include "broker/stream_catalog.h"
#include "protocol/native/wire.h"
#include "sluice/status.h"
#include "storage/log_store.h"

namespace sluice::broker::native {

/// What handlers work with; all of it may be used from any thread and outlives the door.
struct HandlerContext {
  StreamCatalog& catalog;
  Shards& shards;
  const RetentionHolds& holds;
  storage::LogStore& store;
  Resharder& resharder;
  groups::GroupService& groups;
  storage::Clock& clock;
  Keyring& keyring;
  AppendOptions append_options;
  DeliveryControl* delivery = nullptr;  // null where this broker has no delivery stage
};

using ControlHandler = Result<std::string> (*)(const HandlerContext& context, std::string_view control);
enum class HandlerThread : std::uint8_t { kBlocking, kDelivery };

struct ControlOperation {
  protocol::wire::Operation operation;
  ControlHandler handler;
  HandlerThread thread = HandlerThread::kBlocking;
};

/// nullptr where there is no such control operation.
const ControlOperation* FindControlOperation(protocol::wire::Operation operation);

Result<std::string> HandleCreateStream(const HandlerContext& context, std::string_view control);
Result<std::string> HandleDescribeStream(const HandlerContext& context, std::string_view control);
Result<std::string> HandleListStreams(const HandlerContext& context, std::string_view control);
Result<std::string> HandleSetRetention(const HandlerContext& context, std::string_view control);
Result<std::string> HandleDeleteStream(const HandlerContext& context, std::string_view control);
Result<std::string> HandleInitProducer(const HandlerContext& context, std::string_view control);
Result<std::string> HandleAcceptLoss(const HandlerContext& context, std::string_view control);
Result<std::string> HandleReshardStream(const HandlerContext& context, std::string_view control);
Result<std::string> HandleJoinGroup(const HandlerContext& context, std::string_view control);
Result<std::string> HandleGroupHeartbeat(const HandlerContext& context, std::string_view control);
Result<std::string> HandleCommitCheckpoints(const HandlerContext& context, std::string_view control);
Result<std::string> HandleLeaveGroup(const HandlerContext& context, std::string_view control);
Result<std::string> HandleDescribeGroup(const HandlerContext& context, std::string_view control);
Result<std::string> HandleListGroups(const HandlerContext& context, std::string_view control);
Result<std::string> HandleDeleteGroup(const HandlerContext& context, std::string_view control);
Result<std::string> HandleResetGroup(const HandlerContext& context, std::string_view control);
Result<std::string> HandleEncryptStream(const HandlerContext& context, std::string_view control);
Result<std::string> HandleDelivery(const HandlerContext& context, std::string_view control);

/// What a session and its peer have agreed on.
struct Agreement {
  std::uint8_t version = 0;
  bool large_answers = false;  // the peer takes a control message that is too large for one as a body
};
/// Hello is answered by the session itself, before any other operation. What was agreed on goes to `agreement`.
Result<std::string> HandleHello(const AppendOptions& limits, std::string_view control, Agreement& agreement);
/// The control message of a failed call.
std::string ErrorControl(const Status& status);

}  // namespace sluice::broker::native
