// What the broker's core answers, in AWS's types.
#include "broker/api/kinesis/errors.h"

#include "tests/catch.h"

namespace sluice::broker::kinesis {
namespace {

using protocol::aws::ApiError;

TEST_CASE("KeyFailure: of a master key that is not there, or not now", "[kinesis]") {
  CHECK(KeyFailure(Status(Code::kNotFound, "no key")) == ApiError("KMSNotFoundException", "no key"));
  CHECK(KeyFailure(Status(Code::kFailedPrecondition, "no key")) == ApiError("KMSNotFoundException", "no key"));
  CHECK(KeyFailure(Status(Code::kUnavailable, "not now")) == ApiError("KMSThrottlingException", "not now"));
  CHECK(KeyFailure(Status(Code::kCorruption, "damaged")) == ApiError("InternalFailure", "damaged", 500));
}

}  // namespace
}  // namespace sluice::broker::kinesis
