// Counting, evicting, holding back.
#include "storage/tail_budget.h"

#include <algorithm>
#include <iterator>

#include "protocol/check.h"
#include "storage/shard_log_impl.h"

namespace sluice::storage {

void TailBudget::NoteAppended(std::uint64_t bytes) {
  tail_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const std::uint64_t before = unwritten_bytes_.fetch_add(bytes);
  if (before < bytes_max_ && before + bytes >= bytes_max_) UpdateOverload();
}

void TailBudget::NoteWritten(const std::shared_ptr<ShardLogImpl>& shard, Offset end, std::uint64_t bytes) {
  bool many = false;
  {
    const MutexLock lock(mutex_);
    written_.push_back({shard, end});
    many = written_.size() >= forget_at_;
  }
  if (many) ForgetPieces();
  const std::uint64_t before = unwritten_bytes_.fetch_sub(bytes);
  SLUICE_CHECK(before >= bytes);
  Evict();
  if (overloaded()) UpdateOverload();
}

void TailBudget::ForgetPieces() {
  std::deque<Piece> pieces;
  {
    const MutexLock lock(mutex_);
    pieces.swap(written_);
  }
  std::erase_if(pieces, [](const Piece& piece) {
    const std::shared_ptr<ShardLogImpl> shard = piece.shard.lock();
    return shard == nullptr || !shard->HasInMemory(piece.end);
  });
  const MutexLock lock(mutex_);
  forget_at_ = std::max(kPiecesMin, 2 * pieces.size());
  written_.insert(written_.begin(), std::make_move_iterator(pieces.begin()), std::make_move_iterator(pieces.end()));
}

void TailBudget::NoteForgotten(std::uint64_t tail_bytes, std::uint64_t unwritten_bytes) {
  const std::uint64_t tail_before = tail_bytes_.fetch_sub(tail_bytes, std::memory_order_relaxed);
  const std::uint64_t unwritten_before = unwritten_bytes_.fetch_sub(unwritten_bytes);
  SLUICE_CHECK(tail_before >= tail_bytes && unwritten_before >= unwritten_bytes);
  if (overloaded()) UpdateOverload();
}

void TailBudget::SetBlocked(Block block, bool blocked) {
  const unsigned before = blocked ? blocked_.fetch_or(block) : blocked_.fetch_and(~static_cast<unsigned>(block));
  if (((before & block) != 0) != blocked) UpdateOverload();
}

void TailBudget::LetGo() {
  let_go_.store(true);
  UpdateOverload();
}

void TailBudget::Evict() {
  while (tail_bytes() > bytes_max_) {
    Piece piece;
    {
      const MutexLock lock(mutex_);
      if (written_.empty()) return;
      piece = std::move(written_.front());
      written_.pop_front();
    }
    const std::shared_ptr<ShardLogImpl> shard = piece.shard.lock();
    if (shard != nullptr) tail_bytes_.fetch_sub(shard->EvictTail(piece.end), std::memory_order_relaxed);
  }
}

void TailBudget::UpdateOverload() {
  std::vector<std::pair<Executor*, std::move_only_function<void()>>> ready;
  {
    const MutexLock lock(mutex_);
    bool overloaded = false;
    do {
      // Lets go at 3/4 of the bound, so that it does not flutter.
      const std::uint64_t limit = overloaded_.load() ? bytes_max_ / 4 * 3 : bytes_max_;
      const bool held_back = blocked_.load() != 0 || unwritten_bytes_.load() >= limit;
      overloaded = held_back && !let_go_.load() && !disk_full();
      overloaded_.store(overloaded);
      // Whoever took bytes away just before the store has not seen it and will not come here: look again.
    } while (overloaded && blocked_.load() == 0 && unwritten_bytes_.load() < bytes_max_ / 4 * 3);
    if (!overloaded) ready.swap(waiting_);
  }
  for (auto& [loop, resume] : ready) loop->Post(std::move(resume));
}

void TailBudget::WhenReady(Executor& loop, std::move_only_function<void()> resume) {
  {
    const MutexLock lock(mutex_);
    if (overloaded()) {
      waiting_.emplace_back(&loop, std::move(resume));
      return;
    }
  }
  loop.Post(std::move(resume));
}

}  // namespace sluice::storage
