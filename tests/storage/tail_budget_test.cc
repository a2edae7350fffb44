// What the budget itself keeps in memory.
#include "storage/tail_budget.h"

#include <memory>
#include <vector>

#include "storage/shard_log_impl.h"
#include "tests/catch.h"
#include "tests/storage/test_log.h"

namespace sluice::storage {
namespace {

/// Counts the blocks that are there: that of a shard goes with the last pointer to it, a weak one too.
template <typename T>
struct CountingAllocator {
  using value_type = T;
  explicit CountingAllocator(int& blocks) : live(&blocks) {}
  template <typename U>
  explicit CountingAllocator(const CountingAllocator<U>& other) : live(other.live) {}
  T* allocate(std::size_t count) {
    ++*live;
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* block, std::size_t count) {
    --*live;
    std::allocator<T>().deallocate(block, count);
  }
  template <typename U>
  bool operator==(const CountingAllocator<U>& other) const {
    return live == other.live;
  }

  int* live;
};

/// Appends a record, and notes it as written to a segment.
void AppendAndWrite(ShardLogImpl& shard, TailBudget& budget) {
  protocol::FrameBuffer batch = MakeBatch("value");
  const auto header = *protocol::ParseBatchHeader(batch.batch_view());
  std::vector<protocol::Frame> frames;
  frames.push_back(shard.Append(std::move(batch), header, 1));
  budget.NoteAppended(frames.front().size());
  shard.Publish(frames);
  shard.TakeUnwritten(1, frames);
  shard.NoteWritten(shard.durable_end());
}

}  // namespace

TEST_CASE("TailBudget NoteWritten: nothing is kept of shards that were dropped", "[storage]") {
  constexpr int kShards = 10'000;
  int blocks = 0;
  TailBudget budget(1u << 20);
  const auto kept = std::make_shared<ShardLogImpl>(kShardA, budget);
  AppendAndWrite(*kept, budget);
  for (int i = 0; i < kShards; ++i) {
    const auto shard = std::allocate_shared<ShardLogImpl>(CountingAllocator<ShardLogImpl>(blocks), kShardB, budget);
    AppendAndWrite(*shard, budget);
    shard->Drop();
  }
  CHECK(blocks <= kShards / 4);

  // What is still in memory can be evicted.
  while (kept->ReadTail(Offset(0), 1).value()) AppendAndWrite(*kept, budget);
  CHECK(budget.tail_bytes() <= 1u << 20);
  CHECK(budget.unwritten_bytes() == 0);
}

}  // namespace sluice::storage
