// The bound on bodies of all connections: who gets of it, and that all of it comes back.
#include "broker/api/aws/body_memory.h"

#include <utility>

#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

TEST_CASE("BodyMemory Take: the last quarter is for connections that hold little", "[aws]") {
  const auto memory = std::make_shared<BodyMemory>(8 * kMiB);
  BodyShare large(memory);
  CHECK(large.Take(6 * kMiB));
  CHECK_FALSE(large.Take(1));
  BodyShare another(memory);
  CHECK(another.Take(kMiB));  // all it may have of it,
  CHECK_FALSE(another.Take(1));
  BodyShare beside(memory);
  CHECK_FALSE(beside.Take(1, kMiB));  // in however many bodies
  CHECK(beside.Take(kMiB - 1));
  CHECK(beside.Take(1));
  BodyShare last(memory);
  CHECK_FALSE(last.Take(1));
  large.Clear();
  CHECK(last.Take(4 * kMiB));
  CHECK(memory->bytes() == 6 * kMiB);
}

TEST_CASE("BodyShare: gives all back at its end, once", "[aws]") {
  const auto memory = std::make_shared<BodyMemory>(kMiB);
  {
    BodyShare share(memory);
    CHECK(share.Take(10));
    CHECK(share.Take(20));
    CHECK_FALSE(share.Take(kMiB));
    const BodyShare moved = std::move(share);
    CHECK(memory->bytes() == 30);
  }
  CHECK(memory->bytes() == 0);
}

TEST_CASE("AnswerShare: counts what is more than a little, and grows while there is room", "[aws]") {
  const auto memory = std::make_shared<BodyMemory>(8 * kMiB);
  {
    AnswerShare share(memory);
    share.Set(AnswerShare::kUncountedBytes);
    CHECK(memory->bytes() == 0);
    CHECK(share.Grow(6 * kMiB));
    CHECK_FALSE(share.waits());
    CHECK_FALSE(share.Grow(6 * kMiB + 1));
    CHECK(memory->bytes() == 6 * kMiB);
    share.Set(7 * kMiB);
    CHECK(memory->bytes() == 7 * kMiB);
    CHECK(share.waits());
    AnswerShare another(memory);
    CHECK_FALSE(another.waits());  // it has nothing to send first
    CHECK(another.Grow(kMiB));
    CHECK(another.waits());
    share.Set(2 * kMiB);
    CHECK_FALSE(another.waits());
    CHECK(memory->bytes() == 3 * kMiB);
  }
  CHECK(memory->bytes() == 0);
}

}  // namespace
}  // namespace sluice::broker::aws
