// Answers of Lambdas, to a request of the records a, b and c: each gets an outcome, or the answer is none and says why.
#include <string>
#include <vector>

#include "broker/delivery/processing/lambda_messages.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::delivery;
  static const std::vector<std::string> ids = {"a", "b", "c"};
  const std::string_view input = sluice::fuzz::Input(data, size);
  (void)LambdaErrorText(input);
  const auto outcomes = ParseLambdaAnswer(input, ids);
  if (!outcomes) {
    SLUICE_CHECK(!outcomes.error().code.empty() && !outcomes.error().away);
    return 0;
  }
  SLUICE_CHECK(outcomes->size() == ids.size());
  for (const LambdaOutcome& outcome : *outcomes) {
    SLUICE_CHECK(outcome.kind == LambdaOutcome::Kind::kOk || outcome.data.empty());
  }
  return 0;
}
