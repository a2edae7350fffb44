// Shards by loop: opening, waking, forgetting.
#include "broker/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <latch>

#include "protocol/check.h"

namespace sluice::broker {

LoopShards::LoopShards(EventLoops& loops, EventLoop& loop, const ShardsParts& parts)
    : loops_(loops),
      loop_(loop),
      store_(parts.store),
      catalog_(parts.catalog),
      keyring_(parts.keyring),
      writer_(parts.store.NewWriter(loop)) {
  writer_->SetPublishedListener([this](storage::ShardLog& log) { OnPublished(log); });
}

Result<Shard*> LoopShards::Find(ShardId id) {
  SLUICE_DCHECK(loop_.InLoop());
  if (const auto known = shards_.find(id); known != shards_.end()) return known->second.get();
  const auto stream = catalog_.Find(id.stream);
  if (!stream) return Error(stream.error());
  const ShardInfo* const info = (*stream)->FindShard(id.index);
  if (info == nullptr) return Error(CheckShard(**stream, id.index));
  auto shard = std::make_unique<Shard>();
  shard->id = id;
  shard->log = store_.OpenShard(id);
  shard->keys = keyring_.KeysOf(id.stream);
  SLUICE_CHECK(shard->log != nullptr);
  shard->closed = info->closed();
  if (shard->closed) shard->log->Seal();
  return shards_.emplace(id, std::move(shard)).first->second.get();
}

void LoopShards::AppendEnded(Shard& shard) {
  SLUICE_CHECK(shard.appends_in_flight > 0);
  if (--shard.appends_in_flight > 0 || !shard.deleted) return;
  // The writer may still use the log until this turn ends; then nothing refers to it any more.
  loop_.Post([this, id = shard.id] {
    SLUICE_CHECK(leaving_.erase(id) == 1);
    DropFiles(id);
  });
}

Waiters::iterator LoopShards::Wait(Shard& shard, std::move_only_function<void(Wake)> waiter) {
  SLUICE_CHECK(!shard.deleted && !stopping_);
  ++waiters_;
  return shard.waiters.insert(shard.waiters.end(), std::move(waiter));
}

void LoopShards::Unwait(Shard& shard, Waiters::iterator waiter) {
  SLUICE_CHECK(waiters_ > 0);
  --waiters_;
  shard.waiters.erase(waiter);
}

void LoopShards::OnPublished(storage::ShardLog& log) {
  if (waiters_ > 0) {
    const auto shard = shards_.find(log.id());
    if (shard != shards_.end()) WakeAll(*shard->second, Wake::kPublished);
  }
  for (const auto& hook : published_hooks_) hook();
}

void LoopShards::WakeAll(Shard& shard, Wake wake) {
  Waiters woken;
  woken.swap(shard.waiters);
  SLUICE_CHECK(waiters_ >= woken.size());
  waiters_ -= woken.size();
  for (auto& waiter : woken) waiter(wake);
}

void LoopShards::ForgetStream(const StreamInfo& stream) {
  SLUICE_CHECK(loop_.InLoop());
  for (const ShardInfo& info : stream.all_shards) {
    const ShardId id{stream.id, info.shard};
    if (&loops_.OwnerOf(id) != &loop_) continue;
    ForgetShard(id);
  }
  keyring_.Forget(stream.id);
}

void LoopShards::ForgetShard(ShardId id) {
  SLUICE_CHECK(loop_.InLoop());
  auto known = shards_.extract(id);
  if (known.empty() || known.mapped()->appends_in_flight == 0) DropFiles(id);
  if (known.empty()) return;
  Shard& shard = *known.mapped();
  shard.deleted = true;
  if (shard.appends_in_flight > 0) leaving_.insert(std::move(known));
  WakeAll(shard, Wake::kDeleted);
  Unpark(shard);
}

void LoopShards::BeginClose(ShardId id, storage::LogWriter::Drained drained) {
  const auto shard = Find(id);
  if (!shard) return drained(Error(shard.error()));
  SLUICE_CHECK(!(*shard)->closing && !(*shard)->closed);
  (*shard)->closing = true;
  writer_->Drain(*(*shard)->log, std::move(drained));
}

void LoopShards::EndClose(ShardId id, bool closed) {
  SLUICE_CHECK(loop_.InLoop());
  const auto known = shards_.find(id);
  if (known == shards_.end()) return;
  Shard& shard = *known->second;
  shard.closing = false;
  shard.closed = closed;
  if (closed) shard.log->Seal();
  Unpark(shard);
  if (closed) WakeAll(shard, Wake::kClosed);
}

// The tasks look the shard up again, as it may be gone.
void LoopShards::Unpark(Shard& shard) {
  std::vector<std::move_only_function<void()>> parked;
  parked.swap(shard.parked);
  for (auto& append : parked) append();
}

void LoopShards::DropFiles(ShardId id) {
  loops_.RunBlocking([&store = store_, id] { store.DropShard(id); });
}

void LoopShards::Stop() {
  SLUICE_CHECK(loop_.InLoop());
  stopping_ = true;
  std::vector<Shard*> waited_for;
  for (const auto& [id, shard] : shards_) {
    if (!shard->waiters.empty()) waited_for.push_back(shard.get());
  }
  for (Shard* shard : waited_for) WakeAll(*shard, Wake::kStopping);
}

Shards::Shards(EventLoops& loops, const ShardsParts& parts) : loops_(loops) {
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops_shards_.push_back(std::make_unique<LoopShards>(loops, loops.loop(i), parts));
  }
}

void Shards::ForgetStream(StreamPtr stream) {
  for (const auto& shards : loops_shards_) {
    shards->loop().Post([&shards = *shards, stream] { shards.ForgetStream(*stream); });
  }
}

void Shards::ForgetShard(ShardId id) {
  LoopShards& shards = OwnerOf(id);
  shards.loop().Post([&shards, id] { shards.ForgetShard(id); });
}

void Shards::Stop() {
  std::latch stopped(static_cast<std::ptrdiff_t>(loops_shards_.size()));
  for (const auto& shards : loops_shards_) {
    shards->loop().Post([&shards = *shards, &stopped] {
      shards.Stop();
      stopped.count_down();
    });
  }
  stopped.wait();
}

Result<std::size_t> Shards::DropOrphans(storage::LogStore& store, const StreamCatalog& catalog) {
  const auto next = catalog.NextId();
  if (!next) return Error(next.error());
  const std::vector<ShardId> shards = store.Shards();
  for (const ShardId id : shards) {
    const auto stream = catalog.Find(id.stream);
    if (stream && id.index >= (*stream)->next_shard) {
      return Error(
          Code::kFailedPrecondition,
          fmt::format("the log holds records of shard {} of stream '{}', which the metadata has never made: it "
                      "is older than the log; nothing was removed. Put back the metadata directory that "
                      "belongs to these records, or start on an empty data directory",
                      id.index.value, (*stream)->name));
    }
    if (id.stream < *next) continue;
    return Error(
        Code::kFailedPrecondition,
        fmt::format("the log holds records of stream number {}, but the metadata has made no stream beyond {}: "
                    "it is lost, or older than the log; nothing was removed. Put back the metadata directory "
                    "that belongs to these records, or start on an empty data directory",
                    id.stream.value, next->value - 1));
  }
  std::size_t dropped = 0;
  for (const ShardId id : shards) {
    if (const auto stream = catalog.Find(id.stream); stream && CheckShard(**stream, id.index).ok()) continue;
    store.DropShard(id);
    ++dropped;
  }
  return dropped;
}

}  // namespace sluice::broker
