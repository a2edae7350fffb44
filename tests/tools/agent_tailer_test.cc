// Files that grow, are renamed, copied, truncated and removed, in a directory of the test; the times are the test's.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/tools/agent_tailing.h"

using namespace sluice;
using namespace sluice::tools;

TEST_CASE("Tailer Collect: complete lines, and each once", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "one\ntw");
  CHECK(tail.RefreshAndRead() == "one\n");
  CHECK(tail.Read().empty());
  tail.Append("app.log", "o\nthree\n");
  CHECK(tail.Read() == "two\nthree\n");
  tail.Append("other.log", "no\n");
  CHECK(tail.RefreshAndRead().empty());
}

TEST_CASE("Tailer Refresh: initialPosition counts for files that are there first", "[agent]") {
  Tailing tail("*.log", R"("initialPosition":"END_OF_FILE")");
  tail.Append("a.log", "old\nhalf");
  tail.Refresh(true);
  CHECK(tail.Read().empty());
  tail.Append("a.log", " a line\n");
  tail.Append("b.log", "new\n");
  CHECK(tail.RefreshAndRead() == "half a line\nnew\n");
}

TEST_CASE("Tailer Refresh: old files that are passed over may be more than can be open", "[agent]") {
  constexpr int kFiles = 40;
  Tailing tail("*.log", R"("initialPosition":"END_OF_FILE")");
  for (int i = 0; i < kFiles; ++i) tail.Append(fmt::format("{}.log", i), fmt::format("old {}\n", i));
  tail.PassWall(3'600'000'000'000);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{.rlim_cur = kFiles / 2, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  tail.Refresh(true);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(tail.tailer().file_count() == kFiles);
  CHECK(tail.RefreshAndRead().empty());
  tail.Append("7.log", "new\n");
  CHECK(tail.RefreshAndRead() == "new\n");
}

TEST_CASE("Tailer: a renamed file is read to its end, and before the new one", "[agent]") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Tailing tail(glob);
    tail.Append("app.log", "1\n");
    CHECK(tail.RefreshAndRead() == "1\n");
    tail.Append("app.log", "2\n");
    tail.Rename("app.log", "app.log.1");
    tail.Append("app.log.1", "3\n");
    tail.Append("app.log", "4\n");
    CHECK(tail.RefreshAndRead() == "2\n3\n4\n");
    tail.Append("app.log.1", "late\n");
    CHECK(tail.RefreshAndRead() == "late\n");
  }
}

TEST_CASE("Tailer Restore: rotation while nobody was there", "[agent]") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Tailing tail(glob);
    tail.Append("app.log", "1\n2");
    CHECK(tail.RefreshAndRead() == "1\n");
    tail.Append("app.log", "\n3\n");
    tail.Rename("app.log", "app.log.1");
    tail.Append("app.log", "4\n");
    tail.Restart();
    CHECK(tail.RefreshAndRead() == "2\n3\n4\n");
    tail.Restart();
    CHECK(tail.RefreshAndRead().empty());
  }
}

TEST_CASE("Tailer: a removed file is read to its end where it was open", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "1\n");
  CHECK(tail.RefreshAndRead() == "1\n");
  tail.Append("app.log", "2\nno newline");
  tail.Remove("app.log");
  CHECK(tail.RefreshAndRead() == "2\n");
  tail.Pass(3'000);
  CHECK(tail.Read() == "no newline\n");
  CHECK(tail.Read().empty());
  tail.Pass(120'000);
  tail.Refresh();
  CHECK(tail.tailer().file_count() == 0);
}

TEST_CASE("Tailer Refresh: a file of several names is read once", "[agent]") {
  Tailing tail("*.log");
  tail.Append("app-1.log", "1\n");
  tail.Link("app-1.log", "current.log");
  CHECK(tail.RefreshAndRead() == "1\n");
  CHECK(tail.tailer().file_count() == 1);
  tail.Append("current.log", "2\n");
  CHECK(tail.RefreshAndRead() == "2\n");
}

TEST_CASE("Tailer Refresh: what was written while nobody read is kept open without a name", "[agent]") {
  Tailing tail("app.log");
  tail.Append("app.log", "1\n");
  CHECK(tail.RefreshAndRead() == "1\n");
  tail.Append("app.log", "2\n");
  tail.Pass(61'000);
  tail.Remove("app.log");
  tail.Refresh();
  tail.Pass(61'000);
  tail.Refresh();
  CHECK(tail.Read() == "2\n");
}

TEST_CASE("Tailer Refresh: a copy is kept open without a name while nobody reads the truncated log", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "1\n");
  CHECK(tail.RefreshAndRead() == "1\n");
  tail.Append("app.log", "2\n");
  tail.Copy("app.log", "app.log.1");
  tail.Refresh();
  tail.Truncate("app.log");
  tail.Refresh();
  tail.Remove("app.log.1");
  tail.Pass(61'000);
  tail.Refresh();
  CHECK(tail.Read() == "2\n");
}

TEST_CASE("Tailer: copied and truncated, each line once", "[agent]") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const bool seen_before : {true, false}) {
      Tailing tail(glob);
      tail.Append("app.log", "first line\nsecond line\n");
      CHECK(tail.RefreshAndRead() == "first line\nsecond line\n");
      tail.Append("app.log", "third line\n");
      tail.Copy("app.log", "app.log.1");
      if (seen_before) CHECK(tail.RefreshAndRead() == "third line\n");
      tail.Truncate("app.log");
      tail.Append("app.log", "4\n");
      CHECK(tail.RefreshAndRead() == (seen_before ? "4\n" : "third line\n4\n"));
      CHECK(tail.RefreshAndRead().empty());
      tail.Restart();
      CHECK(tail.RefreshAndRead().empty());
    }
  }
}

TEST_CASE("Tailer Restore: copied and truncated while nobody was there", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Append("app.log", "second line\n");
  tail.Copy("app.log", "app.log.1");
  tail.Write("app.log", "a longer line of another beginning\n");
  tail.Restart();
  CHECK(tail.RefreshAndRead() == "second line\na longer line of another beginning\n");
}

TEST_CASE("Tailer: copied and truncated before anything was read of it", "[agent]") {
  Tailing tail;
  tail.Refresh();
  tail.Append("app.log", "1\n");
  tail.Refresh();
  tail.Copy("app.log", "app.log.1");
  tail.Refresh();
  tail.Truncate("app.log");
  tail.Append("app.log", "2\n");
  CHECK(tail.RefreshAndRead() == "1\n2\n");
  CHECK(tail.RefreshAndRead().empty());
}

TEST_CASE("Tailer: a copy that is seen while it is made", "[agent]") {
  const std::string text = "first line\nsecond line\n";
  for (std::size_t seen = 0; seen <= text.size(); ++seen) {
    Tailing tail;
    tail.Append("app.log", text);
    CHECK(tail.RefreshAndRead() == text);
    tail.Append("app.log.1", text.substr(0, seen));
    CHECK(tail.RefreshAndRead().empty());
    tail.Append("app.log.1", text.substr(seen));
    tail.Truncate("app.log");
    tail.Append("app.log", "3\n");
    CHECK(tail.RefreshAndRead() == "3\n");
    CHECK(tail.RefreshAndRead().empty());
  }
}

TEST_CASE("Tailer: what is written and read between copying and truncating is read once", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  tail.Refresh();
  tail.Copy("app.log", "app.log.1");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Append("app.log", "not in the copy\n");
  CHECK(tail.RefreshAndRead() == "not in the copy\n");
  tail.Truncate("app.log");
  CHECK(tail.RefreshAndRead().empty());
  tail.Append("app.log", "3\n");
  CHECK(tail.RefreshAndRead() == "3\n");
  tail.Restart();
  CHECK(tail.RefreshAndRead().empty());
}

TEST_CASE("Tailer Restore: copied and truncated twice while nobody was there", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Append("app.log", "second line\n");
  tail.Copy("app.log", "app.log.1");
  tail.Write("app.log", "third line\n");
  tail.Rename("app.log.1", "app.log.2");
  tail.Copy("app.log", "app.log.1");
  tail.Write("app.log", "4\n");
  tail.Restart();
  std::string all = tail.RefreshAndRead();
  all += tail.RefreshAndRead();
  CHECK(all.size() == std::string("second line\nthird line\n4\n").size());
  for (const char* line : {"second line\n", "third line\n", "4\n"}) CHECK(all.find(line) != std::string::npos);
}

TEST_CASE("Tailer Restore: copied and truncated, then renamed while nobody was there", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Append("app.log", "second line\n");
  tail.Copy("app.log", "app.log.1");
  tail.Write("app.log", "3\n");
  tail.Rename("app.log.1", "app.log.2");
  tail.Rename("app.log", "app.log.1");
  tail.Append("app.log", "4\n");
  tail.Restart();
  CHECK(tail.RefreshAndRead() == "second line\n3\n4\n");
}

TEST_CASE("Tailer Restore: copied, read on, and removed while nobody was there", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Append("app.log", "second line\n");
  tail.Copy("app.log", "app.log.1");
  CHECK(tail.RefreshAndRead() == "second line\n");
  tail.Remove("app.log");
  tail.Restart();
  CHECK(tail.RefreshAndRead().empty());
}

TEST_CASE("Tailer: truncated without a copy, also to more than before", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "first line\n");
  CHECK(tail.RefreshAndRead() == "first line\n");
  tail.Truncate("app.log");
  CHECK(tail.Read().empty());
  tail.Append("app.log", "2\n");
  CHECK(tail.Read() == "2\n");
  tail.Write("app.log", "longer than all that was there\n");
  CHECK(tail.Read() == "longer than all that was there\n");
  const auto notices = tail.tailer().TakeNotices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].ends_with("app.log was truncated: it is read from its start"));
}

TEST_CASE("Tailer: a file that only begins as another is none of its copies", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "header\n1\n");
  CHECK(tail.RefreshAndRead() == "header\n1\n");
  tail.Append("app.log.x", "header\n");
  CHECK(tail.RefreshAndRead().empty());  // not known yet
  tail.Append("app.log.x", "2\n");
  CHECK(tail.RefreshAndRead() == "header\n2\n");
  tail.Append("app.txt", "header\n1\n");
  CHECK(tail.RefreshAndRead().empty());  // not of the pattern
}

TEST_CASE("IsNameOfCopy: longer forms of a name only", "[agent]") {
  CHECK(IsNameOfCopy("app.log", "app.log.1"));
  CHECK(IsNameOfCopy("app.log", "app-20260301.log"));
  CHECK_FALSE(IsNameOfCopy("app.log.1", "app.log"));
  CHECK_FALSE(IsNameOfCopy("app-1.log", "app-2.log"));
  CHECK_FALSE(IsNameOfCopy("app.log", "web.log.1"));
}

TEST_CASE("Tailer: an inode that is used again is another file", "[agent]") {
  Tailing tail;
  tail.Append("app.log", "old content\n");
  CHECK(tail.RefreshAndRead() == "old content\n");
  auto positions = tail.tailer().Positions();
  tail.Restart({});  // closes it
  tail.Remove("app.log");
  tail.Append("app.log", "new content that is longer\n");
  struct stat status{};
  const std::string path = positions.at(0).path;
  REQUIRE(::stat(path.c_str(), &status) == 0);
  positions[0].inode = status.st_ino;
  positions[0].name = "app.log.7";
  tail.Restart(positions);
  CHECK(tail.RefreshAndRead() == "new content that is longer\n");
  tail.Append("app.log", "half a");
  CHECK(tail.RefreshAndRead().empty());
  tail.Pass(30'000);
  CHECK(tail.Read().empty());
  tail.Append("app.log", " line\n");
  CHECK(tail.Read() == "half a line\n");
}

TEST_CASE("Tailer Refresh: compressed files are passed over", "[agent]") {
  Tailing tail;
  tail.Append("app.log.2.gz", "\x1f\x8b\n");
  CHECK(tail.RefreshAndRead().empty());
  CHECK(tail.tailer().TakeNotices().size() == 1);
}

TEST_CASE("ExpandBraces: every choice", "[agent]") {
  CHECK(ExpandBraces("a.log") == std::vector<std::string>{"a.log"});
  CHECK(ExpandBraces("{a,b}.{c,d}") == std::vector<std::string>{"a.c", "a.d", "b.c", "b.d"});
}
