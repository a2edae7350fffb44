// Lambdas that are programs of this machine.
#include <csignal>
#include <thread>

#include "broker/delivery/processing/lambda_transport.h"
#include "tests/delivery/lambda_fixture.h"
#include "tests/delivery/programs.h"

namespace sluice::delivery {
namespace {

/// Puts `!` behind each record; "die" ends it, "hang" makes it wait for ever.
constexpr std::string_view kExclaim = R"(
import base64, json, os, sys, time
for line in sys.stdin:
    answers = []
    for record in json.loads(line)["records"]:
        value = base64.b64decode(record["data"])
        if value == b"die": sys.exit(3)
        if value == b"hang": time.sleep(1000)
        if value == b"pid": value = str(os.getpid()).encode()
        data = base64.b64encode(value + b"!").decode()
        answers.append({"recordId": record["recordId"], "result": "Ok", "data": data})
    print(json.dumps({"records": answers}), flush=True)
)";

LambdaOptions Allowed(std::int64_t timeout_ms = 30'000) { return {.timeout_ms = timeout_ms, .allow_commands = true}; }

}  // namespace

TEST_CASE("LambdaProcessor Process: a command, which runs on from batch to batch", "[delivery]") {
  Programs programs;
  const std::string program = programs.Write("exclaim.py", kExclaim);
  LambdaRun run(LambdaOf("command:/usr/bin/env python3 -B " + program), Allowed());
  REQUIRE(run.Process({"a", "pid"}).ok());
  const std::string first = run.Values().at(1);
  CHECK(run.Values().at(0) == "a!");
  REQUIRE(run.Process({"pid"}).ok());
  CHECK(run.Values() == Texts{first});
  // The next delivery has a processor of its own, and the same program.
  LambdaRun again(LambdaOf("command:/usr/bin/env python3 -B " + program), Allowed());
  again.host->lambda = run.host->lambda;
  again.host->lambda_arn = run.host->lambda_arn;
  REQUIRE(again.Process({"pid"}).ok());
  CHECK(again.Values() == Texts{first});
}

TEST_CASE("LambdaProcessor Process: a command that dies or hangs over a batch", "[delivery]") {
  Programs programs;
  const std::string program = programs.Write("exclaim.py", kExclaim);
  LambdaRun run(LambdaOf("command:/usr/bin/env python3 -B " + program, {{"NumberOfRetries", "1"}}), Allowed());
  REQUIRE(run.Process({"a", "pid"}).ok());
  const std::string first = run.Values().at(1);
  REQUIRE(run.Process({"a", "die"}).ok());
  CHECK(run.Failures() == Texts{"0 Lambda.FunctionError 2", "1 Lambda.FunctionError 2"});
  CHECK(run.batch.failures[0].message == "/usr/bin/env: the program has ended with exit code 3");
  REQUIRE(run.Process({"pid"}).ok());
  CHECK(run.Values().at(0) != first);
  LambdaRun hanging(LambdaOf("command:/usr/bin/env python3 -B " + program, {{"NumberOfRetries", "0"}}), Allowed(200));
  REQUIRE(hanging.Process({"hang"}).ok());
  CHECK(hanging.Failures() == Texts{"0 Lambda.FunctionTimedOut 1"});
}

TEST_CASE("LambdaProcessor Process: a command that died between two batches is started again", "[delivery]") {
  Programs programs;
  const std::string program = programs.Write("exclaim.py", kExclaim);
  LambdaRun run(LambdaOf("command:/usr/bin/env python3 -B " + program, {{"NumberOfRetries", "0"}}), Allowed());
  REQUIRE(run.Process({"pid"}).ok());
  const pid_t pid = std::stoi(run.Values().at(0));
  ::kill(pid, SIGKILL);
  while (IsRunning(pid)) std::this_thread::yield();
  REQUIRE(run.Process({"a"}).ok());
  CHECK(run.Values() == Texts{"a!"});
}

TEST_CASE("LambdaProcessor Process: where the command cannot be run, the records wait", "[delivery]") {
  Programs programs;
  const std::string command = GENERATE(std::string("/no/such/program"), std::string("/usr/bin/env no-such-program"));
  LambdaRun run(LambdaOf("command:" + command, {{"NumberOfRetries", "1"}}), Allowed());
  CHECK(run.Process({"a"}).code() == Code::kUnavailable);
  CHECK(run.batch.failures.empty());
}

TEST_CASE("DeliveryStream Step: a command transforms what is delivered", "[delivery]") {
  Programs programs;
  DeliveryConfig config = RawConfig();
  config.processors = {LambdaOf("command:/usr/bin/env python3 -B " + programs.Write("exclaim.py", kExclaim))};
  World world(config);
  world.processors.lambda.allow_commands = true;
  Fill(world, 150);
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  CheckLedger(world);
  CHECK(world.Lake().size() == 2);
  for (const auto& [key, bytes] : world.Lake()) CHECK(bytes.find("\"}!\n") != bytes.npos);
}

}  // namespace sluice::delivery
