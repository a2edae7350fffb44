// Resource policies: any text. What is kept is kept as it is when it is put again, and can be judged.
#include "broker/api/kinesis/resource_policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::broker::kinesis;
  constexpr std::string_view kArn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  const std::string_view input = sluice::fuzz::Input(data, size);
  const auto policy = CheckedPolicy(input, kArn);
  if (!policy) return 0;
  const auto again = CheckedPolicy(*policy, kArn);
  SLUICE_CHECK(again && *again == *policy);
  const sluice::broker::aws::Caller caller{.account = "000000000000", .region = "us-east-1", .access_key = "test"};
  (void)JudgePolicy(*policy, caller, "PutRecord");
  return 0;
}
