// Lines as text and as JSON, and the rate limit.
#include "broker/log.h"

#include "tests/catch.h"

namespace sluice::broker::log {
namespace {

TEST_CASE("log Render: text", "[broker]") {
  CHECK(Render(false, Level::kInfo, "stream created", {{"stream", "orders"}, {"shards", 4}, {"hidden", false}}) ==
        "info    stream created stream=\"orders\" shards=4 hidden=false");
}

TEST_CASE("log Render: JSON", "[broker]") {
  CHECK(Render(true, Level::kError, "flush failed", {{"reason", Status(Code::kIoError, "disk")}, {"code", -5}}) ==
        R"("level":"error","message":"flush failed","reason":"i/o error: disk","code":-5)");
}

TEST_CASE("log Render: nothing from outside breaks a line", "[broker]") {
  const std::string line = Render(true, Level::kInfo, "x", {{"name", "a\"b\\c\n\x1b[31m\xff"}});
  CHECK(line == R"("level":"info","message":"x","name":"a\"b\\c\u000a\u001b[31m\u00ff")");
  CHECK(Render(false, Level::kInfo, "x", {{"long", std::string(100'000, 'y')}}).size() < 5'000);
}

TEST_CASE("log Configure: refuses unknown words", "[broker]") {
  CHECK(Configure({.level = "loud", .format = "text"}).code() == Code::kInvalidArgument);
  CHECK(Configure({.level = "info", .format = "xml"}).code() == Code::kInvalidArgument);
  CHECK(Configure({.level = "info", .format = "text"}).ok());
}

TEST_CASE("RateLimit Allow: one per interval, and how many were not", "[broker]") {
  RateLimit limit(100);
  std::uint64_t suppressed = 99;
  CHECK(limit.Allow(1'000, suppressed));
  CHECK(suppressed == 0);
  CHECK(!limit.Allow(1'050, suppressed));
  CHECK(!limit.Allow(1'099, suppressed));
  CHECK(limit.Allow(1'100, suppressed));
  CHECK(suppressed == 2);
}

}  // namespace
}  // namespace sluice::broker::log
