// What is one record of a file: lines, several lines, headers, and the last line, whoever ends it.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/tools/agent_tailing.h"

using namespace sluice::tools;

TEST_CASE("Tailer: header lines of each file, and again where it is truncated", "[agent]") {
  Tailing tail("*.csv", R"("initialPosition":"START_OF_FILE","skipHeaderLines":2)");
  tail.Append("a.csv", "h1\n");
  CHECK(tail.RefreshAndRead().empty());
  tail.Append("a.csv", "h2\n1\n");
  CHECK(tail.Read() == "1\n");
  tail.Restart();
  tail.Write("a.csv", "H1\nH2\n2\n");
  CHECK(tail.RefreshAndRead() == "2\n");
}

TEST_CASE("Tailer: a line beyond the largest record is cut, and the rest of it passed over", "[agent]") {
  Tailing tail;
  const std::string end(300'000, 'e');
  tail.Append("app.log", std::string(kAgentRecordBytesMax + 5, 'x') + end);
  std::string cut = tail.RefreshAndRead();
  CHECK(cut.size() == kAgentRecordBytesMax);
  CHECK(cut.ends_with("x\n"));
  tail.Restart();
  tail.Append("app.log", end + "\nnext\n");
  CHECK(tail.RefreshAndRead() == "next\n");
}

TEST_CASE("Tailer: the last of several lines is complete when nothing has come for long enough", "[agent]") {
  Tailing tail("app.log",
               R"json("initialPosition":"START_OF_FILE","multiLineStartPattern":"\\[","maxBufferAgeMillis":500)json");
  tail.Append("app.log", "[1] a\n  b\n[2] c\n");
  CHECK(tail.RefreshAndRead() == "[1] a\n  b\n");
  tail.Append("app.log", "  d\n");
  CHECK(tail.Read().empty());
  tail.Pass(500);
  CHECK(tail.Read() == "[2] c\n  d\n");
}

TEST_CASE("Tailer: several lines stay one record where a long file at rest is read in pieces", "[agent]") {
  Tailing tail("app.log",
               R"json("initialPosition":"START_OF_FILE","multiLineStartPattern":"\\[","maxBufferAgeMillis":500)json");
  const std::string record = "[1] a\n" + std::string(100'000, 'b') + "\n" + std::string(100'000, 'c') + "\n";
  for (int i = 0; i < 20; ++i) tail.Append("app.log", record);
  tail.Refresh();
  tail.Pass(500);
  CHECK(tail.ReadRecords() == std::vector<std::string>(20, record));
}

TEST_CASE("Tailer: the last of several lines waits where a file grows while it is read in pieces", "[agent]") {
  Tailing tail("app.log", R"json("initialPosition":"START_OF_FILE","multiLineStartPattern":"\\[",
                                 "maxBufferAgeMillis":500,"maxBufferSizeRecords":1)json");
  tail.Append("app.log", "[1] a\n[2] b\n");
  CHECK(tail.RefreshAndRead() == "[1] a\n");
  tail.Pass(500);
  tail.Append("app.log", "  c\n");
  CHECK(tail.Read().empty());
  tail.Append("app.log", "  d\n");
  tail.Pass(499);
  CHECK(tail.Read().empty());
  tail.Pass(500);
  CHECK(tail.Read() == "[2] b\n  c\n  d\n");
}

TEST_CASE("Tailer: the last line of a renamed file gets its newline", "[agent]") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Tailing tail(glob);
    tail.Append("app.log", "1\n2");
    CHECK(tail.RefreshAndRead() == "1\n");
    tail.Rename("app.log", "app.log.1");
    tail.Append("app.log", "3\n4");
    CHECK(tail.RefreshAndRead() == "3\n");
    tail.Pass(29'000);  // its program may go on with the line
    CHECK(tail.RefreshAndRead().empty());
    tail.Pass(1'000);
    CHECK(tail.RefreshAndRead() == "2\n");
    tail.Append("app.log", "\n");
    CHECK(tail.RefreshAndRead() == "4\n");
  }
}

TEST_CASE("Tailer: a last line without its newline stays with the record that it is a line of", "[agent]") {
  Tailing tail("app.log", R"json("initialPosition":"START_OF_FILE","multiLineStartPattern":"\\[")json");
  tail.Append("app.log", "[1] a\n  b");
  CHECK(tail.RefreshAndRead().empty());
  tail.Remove("app.log");
  tail.Refresh();
  tail.Pass(3'000);
  CHECK(tail.ReadRecords() == std::vector<std::string>{"[1] a\n  b\n"});
}

TEST_CASE("Tailer: a file's last line comes also where records may be older than files rest", "[agent]") {
  for (const bool removed : {true, false}) {
    Tailing tail("app.log", R"("initialPosition":"START_OF_FILE","maxBufferAgeMillis":900000)");
    tail.Append("app.log", "1\n2");
    CHECK(tail.RefreshAndRead() == "1\n");
    if (removed) tail.Remove("app.log");
    if (!removed) tail.Rename("app.log", "app.log.1");
    CHECK(tail.RefreshAndRead().empty());
    tail.Pass(61'000);
    tail.Refresh();
    CHECK(tail.Read() == "2\n");
  }
}

TEST_CASE("Tailer: the last of several lines comes also where records may be older than files rest", "[agent]") {
  Tailing tail("app.log", R"json("initialPosition":"START_OF_FILE","multiLineStartPattern":"\\[",
                                 "maxBufferAgeMillis":900000)json");
  tail.Append("app.log", "[1] a\n[2] b\n");
  CHECK(tail.RefreshAndRead() == "[1] a\n");
  tail.PassWall(3'600'000'000'000);  // old
  for (int i = 0; i < 3; ++i) {
    tail.Pass(300'000);
    tail.Refresh();
  }
  CHECK(tail.Read() == "[2] b\n");
}
