// The read service's caller is an executor of its own for each read.
#include "broker/delivery/waiting_read.h"

#include <utility>

#include "broker/delivery/waiting_executor.h"

namespace sluice::delivery {

Result<broker::ReadAnswer> WaitingRead(broker::ReadService& reads, broker::ReadRequest request,
                                       const std::atomic<bool>& stopping) {
  if (stopping) return Error(Code::kUnavailable, "the broker is stopping");
  request.caller_may_block = true;
  Result<broker::ReadAnswer> answer = Error(Code::kInternal, "no answer");
  bool done = false;
  WaitingExecutor executor;
  reads.Read(executor, std::move(request), [&](Result<broker::ReadAnswer> result) {
    answer = std::move(result);
    done = true;
  });
  executor.RunUntil(done);
  return answer;
}

}  // namespace sluice::delivery
