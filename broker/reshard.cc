// One switch: close, store, go on.
#include "broker/reshard.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <utility>

#include "broker/log.h"
#include "protocol/check.h"

namespace sluice::broker {
namespace {

// Draining takes a flush or two. Where the disk is full or does not answer, appends shall not wait for a reshard.
constexpr std::chrono::seconds kDrainMax{10};

}  // namespace

// That a stream is being resharded, while the object lives.
class Resharder::Claim {
 public:
  Claim(Resharder& owner, StreamId stream) : owner_(owner), stream_(stream) {
    const std::lock_guard lock(owner_.mutex_);
    mine_ = owner_.busy_.insert(stream).second;
  }
  ~Claim() {
    if (!mine_) return;
    const std::lock_guard lock(owner_.mutex_);
    owner_.busy_.erase(stream_);
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  Status status(std::string_view name) const {
    if (mine_) return {};
    return Status(Code::kUnavailable,
                  fmt::format("the shards of stream '{}' are being changed already; try again later", name));
  }

 private:
  Resharder& owner_;
  const StreamId stream_;
  bool mine_ = false;
};

// Shards that are closing, while the object lives.
class Resharder::Closing {
 public:
  Closing(Shards& shards, StreamId stream, const Changes& changes) : shards_(shards) {
    for (const ShardChange& change : changes) {
      for (const ShardIndex parent : change.parents) ids_.push_back({stream, parent});
    }
    progress_->left = ids_.size();
    for (const ShardId id : ids_) {
      LoopShards& owner = shards_.OwnerOf(id);
      owner.loop().Post([&owner, id, progress = progress_] {
        owner.BeginClose(id, [id, progress](const Result<Offset>& end) { progress->Add(id, end); });
      });
    }
  }
  ~Closing() {
    for (const ShardId id : ids_) {
      LoopShards& owner = shards_.OwnerOf(id);
      owner.loop().Post([&owner, id, closed = closed_] { owner.EndClose(id, closed); });
    }
  }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

  /// Waits until all of it is durable.
  Result<ShardEnds> Ends() {
    std::unique_lock lock(progress_->mutex);
    const bool all = progress_->moved.wait_for(lock, kDrainMax, [this] { return progress_->left == 0; });
    if (!all) return Error(Code::kUnavailable, "the log does not make records durable in time; try again later");
    if (!progress_->failure.ok()) return Error(progress_->failure);
    return progress_->ends;
  }
  /// They are closed for good.
  void SetClosed() { closed_ = true; }

 private:
  // Shared with the loops, which may answer after the time is over.
  struct Progress {
    void Add(ShardId id, const Result<Offset>& end) {
      const std::lock_guard lock(mutex);
      if (end) ends[id.index] = *end;
      if (!end && failure.ok()) failure = end.error();
      SLUICE_CHECK(left > 0);
      if (--left == 0) moved.notify_all();
    }
    std::mutex mutex;
    std::condition_variable moved;
    std::size_t left = 0;  // these are guarded by mutex
    ShardEnds ends;
    Status failure;
  };

  Shards& shards_;
  std::vector<ShardId> ids_;
  const std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
  bool closed_ = false;
};

Result<StreamPtr> Resharder::Split(std::string_view name, ShardIndex shard, protocol::HashKey start) {
  const auto found = catalog_.Find(name);
  if (!found) return found;
  const Claim claim(*this, (*found)->id);
  if (Status status = claim.status(name); !status.ok()) return Error(std::move(status));
  const auto stream = catalog_.Find((*found)->id);  // as the reshard before this one left it
  if (!stream) return stream;
  const auto change = PlanSplit(**stream, shard, start);
  if (!change) return Error(change.error());
  return Switch(**stream, {*change});
}

Result<StreamPtr> Resharder::Merge(std::string_view name, ShardIndex shard, ShardIndex adjacent) {
  const auto found = catalog_.Find(name);
  if (!found) return found;
  const Claim claim(*this, (*found)->id);
  if (Status status = claim.status(name); !status.ok()) return Error(std::move(status));
  const auto stream = catalog_.Find((*found)->id);
  if (!stream) return stream;
  const auto change = PlanMerge(**stream, shard, adjacent);
  if (!change) return Error(change.error());
  return Switch(**stream, {*change});
}

Result<StreamPtr> Resharder::Resize(std::string_view name, std::uint32_t count) {
  if (count < 1 || count > StreamCatalog::kShardsMax) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a stream has 1 to {} shards, not {}", std::uint32_t{StreamCatalog::kShardsMax}, count));
  }
  const auto found = catalog_.Find(name);
  if (!found) return found;
  const Claim claim(*this, (*found)->id);
  if (Status status = claim.status(name); !status.ok()) return Error(std::move(status));
  auto stream = catalog_.Find((*found)->id);
  while (stream) {
    const Changes round = PlanResize(**stream, count);
    if (round.empty()) return stream;
    stream = Switch(**stream, round);
  }
  return stream;
}

Result<StreamPtr> Resharder::Switch(const StreamInfo& stream, const Changes& changes) {
  Closing closing(shards_, stream.id, changes);
  const auto ends = closing.Ends();
  if (!ends) return Error(ends.error().WithContext(fmt::format("stream '{}' keeps its shards", stream.name)));
  auto changed = Store(stream, changes, *ends);
  if (!changed) return changed;
  closing.SetClosed();
  log::Info(
      "stream resharded",
      {{"stream", stream.name}, {"closed_shards", ends->size()}, {"open_shards", (*changed)->shards.ranges().size()}});
  return changed;
}

Result<StreamPtr> Resharder::Store(const StreamInfo& stream, const Changes& changes, const ShardEnds& ends) {
  return catalog_.Change(stream.name, [&](StreamInfo& now) {
    if (now.id == stream.id) return ApplyChanges(now, changes, ends, clock_.WallMs());
    return Status(Code::kNotFound, fmt::format("stream '{}' was deleted", stream.name));
  });
}

}  // namespace sluice::broker
