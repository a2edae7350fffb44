// AcceptLoss: a shard goes on without what it has lost; its quarantine ends, and reads pass over the lost offsets.
#include "broker/api/native/handlers/messages.h"
#include "broker/log.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {

Result<std::string> HandleAcceptLoss(const HandlerContext& context, std::string_view control) {
  const auto request = ParseControl<::sluice::native::AcceptLossRequest>(control);
  if (!request) return Error(request.error());
  const auto stream = context.catalog.Find(request->name());
  if (!stream) return Error(stream.error());
  const ShardId id{(*stream)->id, ShardIndex(request->shard())};
  if (Status status = CheckShard(**stream, id.index); !status.ok()) return Error(std::move(status));
  const auto accepted = context.store.AcceptLoss(id);
  if (!accepted) return Error(accepted.error().WithContext("stream '" + (*stream)->name + "'"));
  if (context.delivery != nullptr) context.delivery->RetrySource((*stream)->name);
  ::sluice::native::AcceptLossResponse answer;
  for (const storage::Hole& hole : *accepted) {
    ToMessage(hole, *answer.add_lost());
    log::Warning("lost records were given up; reads and deliveries pass over them",
                 {{"stream", (*stream)->name},
                  {"shard", id.index.value},
                  {"first_offset", hole.first.value},
                  {"last_offset", hole.next.value - 1}});
  }
  return answer.SerializeAsString();
}

}  // namespace sluice::broker::native
