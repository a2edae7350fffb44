// Lambdas of delivery streams over the broker's core: the setting that programs need, and who ends them.
#include <signal.h>

#include <fstream>
#include <thread>

#include "tests/delivery/managed.h"

namespace sluice::delivery {
namespace {

/// Of the stream "orders", with a shell script as its Lambda.
std::string WithCommand(const Managed& managed, std::string_view script) {
  return fmt::format(
      R"({{"DeliveryStreamName": "d", "KinesisStreamSourceConfiguration": {{"KinesisStreamARN": "orders"}},
      "ExtendedS3DestinationConfiguration": {{"BucketARN": "lake", "BufferingHints": {{"SizeInMBs": 1, "IntervalInSeconds": 0}},
      "ProcessingConfiguration": {{"Enabled": true, "Processors": [{{"Type": "Lambda", "Parameters": [
      {{"ParameterName": "LambdaArn", "ParameterValue": "command:/bin/sh {}/{}"}}]}}]}}}},
      "Sluice": {{"StartPosition": "oldest"}}}})",
      managed.temp.path(), script);
}

}  // namespace

TEST_CASE("DeliveryManager: a Lambda's program needs a setting, and goes with the broker", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.WriteFile("clean.sh", R"(echo $$ > "$0.pid"; while read -r line; do echo '{"records":[]}'; done)");
  const std::string document = WithCommand(managed, "clean.sh");
  for (const DeliveryAction action : {DeliveryAction::kCheck, DeliveryAction::kCreate}) {
    const auto refused = managed.Do(action, "", document);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code() == Code::kInvalidArgument);
    CHECK(Contains(refused.error().message(), "/file.json: Lambda: LambdaArn: 'command:/bin/sh"));
    CHECK(Contains(refused.error().message(), "Set delivery.allow_commands = true"));
  }
  managed.options.lambda.allow_commands = true;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", document);
  managed.Append("orders", 0, 3);
  const std::string flushed = managed.Answer(DeliveryAction::kFlush, "d");
  CHECK(Contains(flushed, R"("errors":3)"));  // it answers for no record
  std::ifstream file(managed.temp.path() + "/clean.sh.pid");
  pid_t pid = 0;
  REQUIRE(file >> pid);
  CHECK(::kill(pid, 0) == 0);
  managed.manager.reset();
  CHECK(::kill(pid, 0) == -1);
  // What is stored starts a broker whose settings have changed, which says so and delivers nothing.
  managed.options.lambda.allow_commands = false;
  managed.Start();
  managed.Append("orders", 0, 1);
  const auto failing = managed.Do(DeliveryAction::kFlush, "d");
  REQUIRE_FALSE(failing.has_value());
  CHECK(Contains(failing.error().message(), "Set delivery.allow_commands = true"));
}

TEST_CASE("DeliveryManager Handle: a Lambda that hangs holds nobody up who changes its delivery stream", "[delivery]") {
  Managed managed;
  managed.options.lambda.allow_commands = true;
  managed.Start();
  managed.WriteFile("hang.sh", R"(while read -r line; do echo > "$0.asked"; sleep 1000; done)");
  managed.Answer(DeliveryAction::kCreate, "", WithCommand(managed, "hang.sh"));
  managed.Append("orders", 0, 3);
  const auto asked = [&] { return std::filesystem::remove(managed.temp.path() + "/hang.sh.asked"); };
  while (!asked()) std::this_thread::yield();
  CHECK(Contains(managed.Answer(DeliveryAction::kPause, "d"), R"("mode":"paused")"));
  managed.Answer(DeliveryAction::kResume, "d");
  while (!asked()) std::this_thread::yield();
  managed.Answer(DeliveryAction::kLedger, "d");
  while (!asked()) std::this_thread::yield();
  managed.Answer(DeliveryAction::kDelete, "d");
}

TEST_CASE("DeliveryManager: an endpoint's key is told to nobody", "[delivery]") {
  Managed managed;
  managed.Start();
  const std::string document =
      R"({"DeliveryStreamName": "d", "KinesisStreamSourceConfiguration": {"KinesisStreamARN": "orders"},
          "HttpEndpointDestinationConfiguration": {
            "EndpointConfiguration": {"Url": "https://h/in?token=t0ken", "AccessKey": "secret"},
            "S3Configuration": {"BucketARN": "lake", "RoleARN": "r"}}})";
  for (const DeliveryAction action : {DeliveryAction::kCheck, DeliveryAction::kCreate}) {
    const std::string answer = managed.Answer(action, "", document);
    CHECK(Contains(answer, R"("EndpointConfiguration":{"Url":)"));
    CHECK_FALSE(Contains(answer, "secret"));
  }
  CHECK_FALSE(Contains(managed.Answer(DeliveryAction::kDescribe, "d"), "secret"));
  const std::string ledger = managed.Answer(DeliveryAction::kLedger, "d");
  CHECK(Contains(ledger, R"("endpoint":"https://h/in")"));
  CHECK_FALSE(Contains(ledger, "t0ken"));
  // The same file again changes nothing.
  CHECK(Contains(managed.Answer(DeliveryAction::kCreate, "", document), R"("changes":[])"));
}

}  // namespace sluice::delivery
