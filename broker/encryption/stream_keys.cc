// Sealing with the last key, opening with whichever it was.
#include "broker/encryption/stream_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/check.h"
#include "protocol/endian.h"

namespace sluice::broker {
namespace {

constexpr std::int64_t kDuePauseMs = 60'000;
// The counter of a nonce has four bytes.
constexpr std::uint64_t kNoncesMax = std::uint64_t{1} << 32;

}  // namespace

Result<std::shared_ptr<LiveKey>> LiveKey::New(protocol::SecretKey key, std::uint32_t number, std::int64_t created_ms) {
  std::shared_ptr<LiveKey> made(new LiveKey(std::move(key), number, created_ms));
  if (Status status = protocol::FillRandom(made->prefix_); !status.ok()) return Error(std::move(status));
  return made;
}

std::optional<protocol::GcmNonce> LiveKey::NextNonce() {
  const std::uint64_t count = used_.fetch_add(1, std::memory_order_relaxed);
  if (count >= kNoncesMax) return std::nullopt;
  protocol::GcmNonce nonce;
  std::ranges::copy(prefix_, nonce.begin());
  protocol::StoreBigEndian(nonce.data() + prefix_.size(), static_cast<std::uint32_t>(count));
  return nonce;
}

StreamKeys::StreamKeys(KeyLife life, storage::Clock& clock, std::function<void()> due)
    : life_(life), clock_(clock), due_(std::move(due)), keys_(std::make_shared<const Keys>()) {}

std::shared_ptr<const StreamKeys::Keys> StreamKeys::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

void StreamKeys::Set(std::vector<StreamKey> keys, bool sealing) {
  SLUICE_CHECK(!sealing || !keys.empty());
  auto changed = std::make_shared<const Keys>(std::move(keys));
  {
    const std::lock_guard lock(mutex_);
    keys_.swap(changed);
  }
  sealing_.store(sealing, std::memory_order_release);
  due_again_ms_.store(0, std::memory_order_relaxed);
}

std::shared_ptr<LiveKey> StreamKeys::Find(std::uint32_t number) const {
  const auto all = keys();
  const auto found = std::ranges::find(*all, number, &StreamKey::number);
  return found == all->end() ? nullptr : found->key;
}

Status StreamKeys::Unusable(const StreamKey& key) {
  return Status(
      Code::kFailedPrecondition,
      fmt::format("the stream is encrypted, and its data key {} cannot be used: {}", key.number, key.why.message()));
}

Result<protocol::FrameBuffer> StreamKeys::Seal(ShardId shard, std::string_view batch) {
  const auto all = keys();
  SLUICE_CHECK(!all->empty());
  const StreamKey& last = all->back();
  if (last.key == nullptr) return Error(Unusable(last));
  if (batch.size() > protocol::kBatchBytesMax - protocol::kSealOverheadBytes) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("the batch has {} bytes, over the limit of {} for a stream that is encrypted; send smaller "
                    "batches",
                    batch.size(), protocol::kBatchBytesMax - protocol::kSealOverheadBytes));
  }
  CheckLife(*last.key);
  const auto nonce = last.key->NextNonce();
  if (!nonce) {
    return Error(
        Code::kUnavailable,
        fmt::format("data key {} of the stream is used up, and its successor is not made yet; try again", last.number));
  }
  const protocol::Seal seal{.key = last.key->key(), .header = {.key_number = last.number, .nonce = *nonce}};
  return SealBatch(seal, shard, batch);
}

void StreamKeys::CheckLife(const LiveKey& key) {
  const bool worn = key.used() >= life_.batches_max;
  if (!worn && life_.age_ms_max == 0) return;
  const std::int64_t now_ms = clock_.WallMs();
  if (!worn && now_ms - key.created_ms() < life_.age_ms_max) return;
  std::int64_t due_again_ms = due_again_ms_.load(std::memory_order_relaxed);
  if (now_ms < due_again_ms) return;
  if (due_again_ms_.compare_exchange_strong(due_again_ms, now_ms + kDuePauseMs)) due_();
}

Result<protocol::Frame> StreamKeys::Open(const protocol::Frame& sealed) const {
  const auto header = protocol::ParseSealHeader(sealed.batch());
  if (!header) return Error(header.error());
  const auto all = keys();
  const auto found = std::ranges::find(*all, header->key_number, &StreamKey::number);
  if (found == all->end()) {
    return Error(Code::kCorruption,
                 fmt::format("shard {} at offset {} is sealed with data key {}, which its stream "
                             "does not have: the metadata is older than the log, or the bytes are "
                             "damaged",
                             ToString(sealed.header().shard), sealed.base_offset().value, header->key_number));
  }
  if (found->key == nullptr) return Error(Unusable(*found));
  return OpenFrame(sealed, found->key->key());
}

}  // namespace sluice::broker
