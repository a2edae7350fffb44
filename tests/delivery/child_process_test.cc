// Programs that answer lines with lines, and every way in which they can fail.
#include "broker/delivery/processing/child_process.h"

#include <functional>
#include <memory>
#include <thread>

#include "tests/catch.h"
#include "tests/delivery/programs.h"

namespace sluice::delivery {
namespace {

using Texts = std::vector<std::string>;

constexpr ExchangeBounds kBounds{.timeout_ms = 30'000, .answer_bytes_max = 1000};

struct Talk : Programs {
  /// Starts a shell script that the test talks to.
  std::unique_ptr<ChildProcess> Start(std::string_view script) {
    auto child = ChildProcess::Start(Shell(script), [this](std::string_view line) { said.emplace_back(line); });
    REQUIRE(child.has_value());
    return std::move(*child);
  }

  Texts said;
  bool stopping = false;
  const std::function<bool()> stop = [this] { return stopping; };
};

}  // namespace

TEST_CASE("ChildProcess Exchange: a line for a line, by one program, with its errors aside", "[delivery]") {
  Talk programs;
  auto child = programs.Start("while read -r line; do echo \"about $line\" >&2; echo \"$$ $line\"; done");
  const auto one = child->Exchange("one", kBounds, programs.stop);
  const auto two = child->Exchange("two", kBounds, programs.stop);
  REQUIRE(one.has_value());
  REQUIRE(two.has_value());
  CHECK(one->substr(one->find(' ')) == " one");
  CHECK(two->substr(two->find(' ')) == " two");
  CHECK(one->substr(0, one->find(' ')) == two->substr(0, two->find(' ')));
  CHECK(child->Ready());
  child.reset();
  CHECK(programs.said == Texts{"about one", "about two"});
}

TEST_CASE("ChildProcess Exchange: more bytes than pipes hold, both ways", "[delivery]") {
  Talk programs;
  auto child = ChildProcess::Start({"/bin/cat"}, [](std::string_view) {});
  REQUIRE(child.has_value());
  const std::string line(3'000'000, 'x');
  const auto answer = (*child)->Exchange(line, {.timeout_ms = 30'000, .answer_bytes_max = line.size()}, programs.stop);
  REQUIRE(answer.has_value());
  CHECK(*answer == line);
  const auto larger =
      (*child)->Exchange(line + "x", {.timeout_ms = 30'000, .answer_bytes_max = line.size()}, programs.stop);
  REQUIRE(!larger.has_value());
  CHECK(larger.error().code() == Code::kResourceExhausted);
}

TEST_CASE("ChildProcess Exchange: programs that fail", "[delivery]") {
  Talk programs;
  const auto [script, code, message] = GENERATE(table<std::string, Code, std::string>({
      {"read -r line; exit 3", Code::kFailedPrecondition, "the program has ended with exit code 3"},
      {"exit 3", Code::kFailedPrecondition, "the program has ended with exit code 3"},
      {"kill -9 $$", Code::kFailedPrecondition, "the program was ended by signal 9"},
      {"/no/such/program", Code::kUnavailable, "the program has ended with exit code 127"},
      {"read -r line; printf unfinished; exit 0", Code::kFailedPrecondition, "the program has ended with exit code 0"},
      {"read -r line; printf 'a\\nb\\n'; read -r line", Code::kFailedPrecondition,
       "the program has said more than one line"},
      {"read -r line; exec >&-; read -r line", Code::kFailedPrecondition, "the program has closed its standard output"},
  }));
  INFO(script);
  auto child = programs.Start(script);
  const auto answer = child->Exchange("x", kBounds, programs.stop);
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == code);
  CHECK(answer.error().message() == message);
  CHECK(!child->Ready());
}

TEST_CASE("ChildProcess Exchange: a program that hangs goes with its whole group", "[delivery]") {
  Talk programs;
  auto child = programs.Start("read -r line; sleep 1000 & echo $!; read -r line; sleep 1000");
  const auto sleeper = child->Exchange("x", kBounds, programs.stop);
  REQUIRE(sleeper.has_value());
  const pid_t pid = std::stoi(*sleeper);
  CHECK(IsRunning(pid));
  const auto late = child->Exchange("x", {.timeout_ms = 30, .answer_bytes_max = 10}, programs.stop);
  REQUIRE(!late.has_value());
  CHECK(late.error().code() == Code::kTimedOut);
  child.reset();
  while (IsRunning(pid)) std::this_thread::yield();  // the signal is sent; until it is delivered
}

TEST_CASE("ChildProcess Exchange: a program that reads no more ends nobody but itself", "[delivery]") {
  Talk programs;
  auto child = programs.Start("read -r line; exec <&-; echo closed; sleep 1000");
  const auto closed = child->Exchange("x", kBounds, programs.stop);
  REQUIRE(closed.has_value());
  CHECK(*closed == "closed");
  const auto answer = child->Exchange("y", {.timeout_ms = 30, .answer_bytes_max = 10}, programs.stop);
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kTimedOut);
}

TEST_CASE("ChildProcess Exchange: ends when the broker stops", "[delivery]") {
  Talk programs;
  auto child = programs.Start("read -r line; sleep 1000");
  programs.stopping = true;
  const auto answer = child->Exchange("x", kBounds, programs.stop);
  REQUIRE(!answer.has_value());
  CHECK(answer.error().code() == Code::kUnavailable);
  CHECK(answer.error().message().ends_with("is asked to stop"));
}

TEST_CASE("ChildProcess Ready: not where it has said something unasked", "[delivery]") {
  Talk programs;
  auto child = programs.Start("read -r line; echo answer; echo more; read -r line");
  (void)child->Exchange("x", kBounds, programs.stop);
  while (child->Ready()) std::this_thread::yield();
  CHECK(!child->Ready());
}

TEST_CASE("ChildProcess Start: the broker's settings and files stay with the broker", "[delivery]") {
  Talk programs;
  ::setenv("SLUICE_AWS__ACCESS_KEYS__A", "secret", 1);
  ::setenv("OTHER", "seen", 1);
  auto child =
      programs.Start("read -r line; echo \"$SLUICE_AWS__ACCESS_KEYS__A-$OTHER-$(ls /proc/$$/fd | tr '\\n' ' ')\"");
  const auto answer = child->Exchange("x", kBounds, programs.stop);
  REQUIRE(answer.has_value());
  CHECK(answer->starts_with("-seen-0 1 10 2"));  // 10 is the shell's own script
}

TEST_CASE("ChildProcess Start: what is no program", "[delivery]") {
  for (const std::string path : {"/no/such/program", "/etc/passwd", "/tmp"}) {
    const auto child = ChildProcess::Start({path}, [](std::string_view) {});
    REQUIRE(!child.has_value());
    CHECK(child.error().code() == Code::kUnavailable);
    CHECK(child.error().message().starts_with("cannot run " + path + ": "));
  }
}

}  // namespace sluice::delivery
