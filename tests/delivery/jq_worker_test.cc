// jq programs in their own process: what they give, what is wrong with them, and what becomes of those that do not end.
#include "broker/delivery/processing/jq_worker.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/delivery/delivery_world.h"

namespace sluice::delivery {
namespace {

const std::string kProgram = SLUICE_JQ_PROGRAM;

JqWorker Worker(std::string program, std::function<bool()> stop = [] { return false; }) {
  return {kProgram, std::move(program), std::move(stop)};
}

std::vector<JqAnswer> Answers(JqWorker& worker, const std::vector<std::string>& records) {
  Result<std::vector<JqAnswer>> answers = worker.Read(records);
  INFO((answers ? "" : answers.error().ToString()));
  REQUIRE(answers.has_value());
  REQUIRE(answers->size() == records.size());
  return *answers;
}

using Keys = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("sluice-jq: once it is confined it can open no file, make no socket and start no process", "[delivery]") {
  FILE* const said = popen((kProgram + " --try forbidden").c_str(), "r");
  REQUIRE(said != nullptr);
  std::string text;
  for (int c = 0; (c = std::fgetc(said)) != EOF;) text += static_cast<char>(c);
  CHECK(pclose(said) == 0);
  CHECK(text == fmt::format("open {0}\nsocket {0}\nfork {0}\nexec {0}\n", EPERM));
}

TEST_CASE("JqWorker Read: what jq gives, for each record", "[delivery]") {
  JqWorker worker =
      Worker(R"({k: .a, y: (.t|strftime("%Y")), l: ((.b // "NONE")|ascii_downcase), s: ("x,y"|split(",")[1])})");
  const auto answers =
      Answers(worker, {R"({"a":1,"t":1700000000})", R"({"a":"x","t":"no time"})", "5", R"({"t":1,"b":"B"})"});
  CHECK(answers[0].keys == Keys{{"k", "1"}, {"l", "none"}, {"s", "y"}, {"y", "2023"}});
  CHECK(answers[1].error == "strftime/1 requires parsed datetime inputs");
  CHECK(answers[2].error.starts_with("Cannot index number with"));
  CHECK(answers[3].keys == Keys{{"k", ""}, {"l", "b"}, {"s", "y"}, {"y", "1970"}});
  CHECK(Answers(worker, {R"({"a":true,"t":0})"})[0].keys.front() == Keys::value_type{"k", "true"});
}

TEST_CASE("JqWorker Read: programs that give something else", "[delivery]") {
  JqWorker number = Worker(".a");
  CHECK(Answers(number, {R"({"a":1})"})[0].error == "the program gives number, not an object");
  JqWorker nothing = Worker("empty");
  CHECK(Answers(nothing, {"{}"})[0].error == "the program gives nothing for this record");
}

TEST_CASE("JqWorker Read: one record that the program does not end with is told, the others have their keys",
          "[delivery]") {
  JqWorker worker = Worker("def loop: loop; if .loop then loop else {k: .k} end");
  const auto answers = Answers(worker, {R"({"k":"a"})", R"({"loop":true})", R"({"k":"b"})"});
  CHECK(answers[0].keys == Keys{{"k", "a"}});
  CHECK(answers[1].error == "the program failed: the program took more than 2 s for one record");
  CHECK(answers[2].keys == Keys{{"k", "b"}});
}

TEST_CASE("JqWorker Read: memory is bounded", "[delivery]") {
  JqWorker worker = Worker(R"({k: (if .much then (("x" * 1e5) as $s|[range(20000)|$s + "y"]|length) else 1 end)})");
  const auto answers = Answers(worker, {R"({"much":true})", "{}"});
  CHECK(answers[0].error.starts_with("the program failed: "));
  CHECK(answers[1].keys == Keys{{"k", "1"}});
}

TEST_CASE("JqWorker Read: a program reads no file, and not the broker's environment", "[delivery]") {
  JqWorker environment = Worker("{k: (env|length|tostring)}");
  CHECK(Answers(environment, {"{}"})[0].keys == Keys{{"k", "0"}});
  CHECK_FALSE(Worker(R"(include "/etc/passwd"; {k: 1})").Check().ok());
}

TEST_CASE("JqWorker Check: what does not compile is told in jq's words", "[delivery]") {
  CHECK(Worker("{k: .a|tostring}").Check().ok());
  const Status unknown = Worker("{k: .a|foo}").Check();
  CHECK(unknown.code() == Code::kInvalidArgument);
  CHECK(unknown.message().find("foo/0 is not defined") != std::string::npos);
  CHECK(Worker("{k: ").Check().code() == Code::kInvalidArgument);
}

TEST_CASE("JqWorker Read: where it cannot run, or nobody waits, nothing is said of the records", "[delivery]") {
  const std::vector<std::string> records = {"{}"};
  CHECK(JqWorker("/no/such/program", ".", [] { return false; }).Read(records).error().code() == Code::kUnavailable);
  JqWorker stopped = Worker("def loop: loop; loop", [] { return true; });
  CHECK(stopped.Read(records).error().code() == Code::kUnavailable);
}

TEST_CASE("Dynamic partitioning: by a program of jq, whose answers are kept until they are delivered", "[delivery]") {
  DeliveryConfig config = RawConfig();
  config.prefix = "hour=!{partitionKeyFromQuery:hour}/";
  config.processors = {
      {"MetadataExtraction", {{"MetadataExtractionQuery", R"({hour: (.t|strftime("%Y-%m-%dT%H"))})"}}}};
  config.dynamic_partitioning = true;
  CHECK_FALSE(IsRepeatable(config.processors));
  World world(config);
  world.processors.jq_program = kProgram;
  for (int i = 0; i < 100; ++i)
    world.log.Append(static_cast<std::uint32_t>(i) % 2, fmt::format(R"({{"t":{}}})", 1'700'000'000 + i * 60),
                     world.env.clock().WallMs());
  world.log.Append(0, "no json", world.env.clock().WallMs());
  world.log.Append(1, R"({"t":"x"})", world.env.clock().WallMs());
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  std::map<std::string, std::size_t> lines;
  for (const auto& [key, bytes] : world.Lake())
    lines[key.substr(0, key.rfind('/'))] += static_cast<std::size_t>(std::ranges::count(bytes, '\n'));
  CHECK(lines == std::map<std::string, std::size_t>{
                     {"errors/processing-failed", 2}, {"hour=2023-11-14T22", 47}, {"hour=2023-11-14T23", 53}});
}

}  // namespace sluice::delivery
