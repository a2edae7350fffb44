// Shards by loop: opening, waking, forgetting.
#include "broker/shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <latch>

#include "protocol/check.h"

namespace sluice::broker {

LoopShards::LoopShards(EventLoops& loops, EventLoop& loop, storage::LogStore& store, const StreamCatalog& catalog)
    : loops_(loops), loop_(loop), store_(store), catalog_(catalog), writer_(store.NewWriter(loop)) {
  writer_->SetPublishedListener([this](storage::ShardLog& log) { OnPublished(log); });
}

Result<Shard*> LoopShards::Find(ShardId id) {
  SLUICE_DCHECK(loop_.InLoop());
  if (const auto known = shards_.find(id); known != shards_.end()) return known->second.get();
  const auto stream = catalog_.Find(id.stream);
  if (!stream) return Error(stream.error());
  if (Status status = CheckShard(**stream, id.index); !status.ok()) return Error(std::move(status));
  auto shard = std::make_unique<Shard>();
  shard->id = id;
  shard->log = store_.OpenShard(id);
  SLUICE_CHECK(shard->log != nullptr);
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
  for (const protocol::ShardRange& range : stream.shards.ranges()) {
    const ShardId id{stream.id, range.shard};
    if (&loops_.OwnerOf(id) != &loop_) continue;
    auto known = shards_.extract(id);
    if (known.empty() || known.mapped()->appends_in_flight == 0) DropFiles(id);
    if (known.empty()) continue;
    Shard& shard = *known.mapped();
    shard.deleted = true;
    if (shard.appends_in_flight > 0) leaving_.insert(std::move(known));
    WakeAll(shard, Wake::kDeleted);
  }
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

Shards::Shards(EventLoops& loops, storage::LogStore& store, const StreamCatalog& catalog) : loops_(loops) {
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops_shards_.push_back(std::make_unique<LoopShards>(loops, loops.loop(i), store, catalog));
  }
}

void Shards::ForgetStream(StreamPtr stream) {
  for (const auto& shards : loops_shards_) {
    shards->loop().Post([&shards = *shards, stream] { shards.ForgetStream(*stream); });
  }
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
    if (id.stream < *next) continue;
    return Error(Code::kFailedPrecondition,
                 fmt::format("the log holds records of stream number {}, but the metadata has made no stream beyond {}: "
                             "it is lost, or older than the log; nothing was removed. Put back the metadata directory "
                             "that belongs to these records, or start on an empty data directory",
                             id.stream.value, next->value - 1));
  }
  std::size_t dropped = 0;
  for (const ShardId id : shards) {
    if (catalog.Find(id.stream)) continue;
    store.DropShard(id);
    ++dropped;
  }
  return dropped;
}

}  // namespace sluice::broker
