// The registration table: a new control operation is one file and one line here.
#include <algorithm>
#include <array>

#include "broker/api/native/handlers/control_operation.h"

namespace sluice::broker::native {
namespace {

using protocol::wire::Operation;

constexpr std::array kOperations = {
    ControlOperation{Operation::kCreateStream, HandleCreateStream},
    ControlOperation{Operation::kDescribeStream, HandleDescribeStream},
    ControlOperation{Operation::kListStreams, HandleListStreams},
    ControlOperation{Operation::kSetRetention, HandleSetRetention},
    ControlOperation{Operation::kDeleteStream, HandleDeleteStream},
    ControlOperation{Operation::kInitProducer, HandleInitProducer},
    ControlOperation{Operation::kAcceptLoss, HandleAcceptLoss},
    ControlOperation{Operation::kReshardStream, HandleReshardStream},
    ControlOperation{Operation::kJoinGroup, HandleJoinGroup},
    ControlOperation{Operation::kGroupHeartbeat, HandleGroupHeartbeat},
    ControlOperation{Operation::kCommitCheckpoints, HandleCommitCheckpoints},
    ControlOperation{Operation::kLeaveGroup, HandleLeaveGroup},
    ControlOperation{Operation::kDescribeGroup, HandleDescribeGroup},
    ControlOperation{Operation::kListGroups, HandleListGroups},
    ControlOperation{Operation::kDeleteGroup, HandleDeleteGroup},
    ControlOperation{Operation::kResetGroup, HandleResetGroup},
    ControlOperation{Operation::kEncryptStream, HandleEncryptStream},
    ControlOperation{Operation::kDelivery, HandleDelivery, HandlerThread::kDelivery},
};

}  // namespace

const ControlOperation* FindControlOperation(Operation operation) {
  const auto found = std::ranges::find(kOperations, operation, &ControlOperation::operation);
  return found == kOperations.end() ? nullptr : &*found;
}

}  // namespace sluice::broker::native
