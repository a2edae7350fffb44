// A rate: so many tokens flow into a bucket each second, up to its capacity, and what is done takes some out.
//
// Not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::broker::kinesis {

class TokenBucket {
 public:
  /// Full at first. Holds what flows in within a second.
  explicit TokenBucket(double per_second) : per_second_(per_second), tokens_(per_second) {}

  /// Whether a Take of so many would succeed. More than the bucket holds are there when it is full.
  bool Has(double tokens, std::int64_t now_ns) {
    Fill(now_ns);
    return tokens_ >= std::min(tokens, per_second_);
  }
  /// All of them or, where they are not there, none.
  bool Take(double tokens, std::int64_t now_ns) {
    if (!Has(tokens, now_ns)) return false;
    tokens_ -= tokens;
    return true;
  }
  /// What was used already. Where it is more than there was, all of it is waited for.
  void Charge(double tokens, std::int64_t now_ns) {
    Fill(now_ns);
    tokens_ = tokens > tokens_ ? std::min(tokens_, 0.0) - tokens : tokens_ - tokens;
  }
  bool IsFull(std::int64_t now_ns) const { return At(now_ns) >= per_second_; }

 private:
  double At(std::int64_t now_ns) const {
    const double seconds = static_cast<double>(std::max<std::int64_t>(now_ns - filled_ns_, 0)) / 1e9;
    return std::min(per_second_, tokens_ + seconds * per_second_);
  }
  void Fill(std::int64_t now_ns) {
    tokens_ = At(now_ns);
    filled_ns_ = std::max(filled_ns_, now_ns);
  }

  double per_second_;
  double tokens_;
  std::int64_t filled_ns_ = 0;
};

}  // namespace sluice::broker::kinesis
