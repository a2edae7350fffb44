// A bucket on a clock that is moved by hand: full, empty, overdrawn, filled again.
#include "broker/api/kinesis/token_bucket.h"

#include "tests/catch.h"

namespace sluice::broker::kinesis {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

TEST_CASE("TokenBucket: gives a second's worth at once, then as it flows in", "[kinesis]") {
  TokenBucket bucket(5);
  std::int64_t now_ns = 7 * kSecondNs;
  for (int i = 0; i < 5; ++i) CHECK(bucket.Take(1, now_ns));
  CHECK(!bucket.Take(1, now_ns));
  CHECK(!bucket.Take(1, now_ns + kSecondNs / 5 - 1'000));
  now_ns += kSecondNs / 5;
  CHECK(bucket.Take(1, now_ns));
  CHECK(!bucket.Take(1, now_ns));
  now_ns += 100 * kSecondNs;  // does not hold more than a second's
  CHECK(bucket.IsFull(now_ns));
  CHECK(bucket.Take(5, now_ns));
  CHECK(!bucket.Take(1, now_ns));
}

TEST_CASE("TokenBucket: takes all or nothing", "[kinesis]") {
  TokenBucket bucket(10);
  CHECK(bucket.Take(6, kSecondNs));
  CHECK(!bucket.Take(6, kSecondNs));
  CHECK(bucket.Has(4, kSecondNs));
  CHECK(bucket.Take(4, kSecondNs));
}

TEST_CASE("TokenBucket: more than it holds needs a full one, and is waited for", "[kinesis]") {
  TokenBucket bucket(10);
  CHECK(bucket.Take(1, kSecondNs));
  CHECK(!bucket.Take(25, kSecondNs));
  CHECK(bucket.Take(25, 2 * kSecondNs));
  CHECK(!bucket.Take(1, 3 * kSecondNs));
  CHECK(!bucket.IsFull(4 * kSecondNs));
  CHECK(bucket.Take(1, 4 * kSecondNs));
}

TEST_CASE("TokenBucket Charge: what is overdrawn is paid for wholly", "[kinesis]") {
  TokenBucket bucket(2);
  bucket.Charge(1, kSecondNs);
  CHECK(bucket.Has(1, kSecondNs));
  bucket.Charge(10, kSecondNs);
  CHECK(!bucket.Has(0.1, kSecondNs + 5 * kSecondNs));
  CHECK(bucket.Has(0.1, kSecondNs + 5 * kSecondNs + kSecondNs / 10));
}

TEST_CASE("TokenBucket: a clock that stands or goes back gives nothing", "[kinesis]") {
  TokenBucket bucket(1);
  CHECK(bucket.Take(1, 5 * kSecondNs));
  CHECK(!bucket.Take(1, 4 * kSecondNs));
  CHECK(!bucket.Take(1, 5 * kSecondNs));
  CHECK(bucket.Take(1, 6 * kSecondNs));
}

}  // namespace
}  // namespace sluice::broker::kinesis
