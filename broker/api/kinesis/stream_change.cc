// The refusal goes past the catalog, which knows no API's errors.
#include "broker/api/kinesis/stream_change.h"

#include <utility>

#include "broker/api/kinesis/errors.h"

namespace sluice::broker::kinesis {

ApiResult<StreamPtr> ChangeStream(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const StreamChange& change) {
  if (!found) return found;
  if (const StreamState state = context.lifecycle->StateOf(**found); state != StreamState::kActive) {
    return std::unexpected(NotActive(state, (*found)->name, call.caller()));
  }
  auto changed = ChangeAtOnce(context, call, found, change);
  const bool differs =
      changed && ((*changed)->kinesis != (*found)->kinesis || (*changed)->retention != (*found)->retention ||
                  (*changed)->encryption != (*found)->encryption);
  if (differs) context.lifecycle->Changed(*found);
  return changed;
}

ApiResult<StreamPtr> ChangeAtOnce(const Context& context, const aws::Call& call, const ApiResult<StreamPtr>& found,
                                  const StreamChange& change) {
  if (!found) return found;
  const std::string& name = (*found)->name;
  Refusal refusal;
  auto changed = context.parts.catalog.Change(name, [&](StreamInfo& stream) {
    refusal = change(stream);
    return refusal ? Status(Code::kFailedPrecondition, refusal->message) : Status();
  });
  if (refusal) return std::unexpected(std::move(*refusal));
  if (!changed) return std::unexpected(FromStatus(changed.error(), name, call.caller()));
  return std::move(*changed);
}

ApiResult<std::string> NoBody(const ApiResult<StreamPtr>& changed) {
  if (!changed) return std::unexpected(changed.error());
  return std::string();
}

}  // namespace sluice::broker::kinesis
