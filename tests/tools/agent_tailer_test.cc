// Files that grow, are renamed, copied, truncated and removed, in a directory of the test; the times are the test's.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tools/agent/tailer.h"

using namespace sluice;
using namespace sluice::tools;

namespace {

namespace fs = std::filesystem;

class Tailing {
 public:
  explicit Tailing(const std::string& glob = "app.log*",
                   const std::string& members = R"("initialPosition":"START_OF_FILE")") {
    std::string pattern = (fs::temp_directory_path() / "sluice-tailer-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    directory_ = pattern;
    auto config = ParseAgentConfig(
        R"({"flows":[{"kinesisStream":"s","filePattern":")" + (directory_ / glob).string() + "\"," + members + "}]}",
        "t");
    INFO((config ? "" : config.error().message()));
    REQUIRE(config.has_value());
    flow_ = std::move(config->flows[0]);
    Restart({});
  }
  ~Tailing() { fs::remove_all(directory_); }

  void Append(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::app | std::ios::binary) << text;
  }
  void Write(const std::string& name, std::string_view text) {
    std::ofstream(directory_ / name, std::ios::trunc | std::ios::binary) << text;
  }
  void Rename(const std::string& from, const std::string& to) { fs::rename(directory_ / from, directory_ / to); }
  void Copy(const std::string& from, const std::string& to) { fs::copy_file(directory_ / from, directory_ / to); }
  void Link(const std::string& to, const std::string& name) { fs::create_symlink(to, directory_ / name); }
  void Remove(const std::string& name) { fs::remove(directory_ / name); }
  void Truncate(const std::string& name) { fs::resize_file(directory_ / name, 0); }

  void Pass(std::int64_t ms) { now_.monotonic_ms += ms; }
  void PassWall(std::int64_t ms) { now_.wall_ms += ms; }
  void Refresh(bool first = false) { tailer_->Refresh(now_, first); }
  /// What is read now.
  std::vector<std::string> ReadRecords() {
    Chunk chunk(flow_);
    std::vector<std::string> records;
    for (int i = 0; i < 3; ++i) tailer_->Collect(chunk, now_);  // a truncated file is read the next time
    for (const ResumableRecord& record : chunk.records()) records.push_back(record.value);
    return records;
  }
  /// The same, records behind one another.
  std::string Read() {
    std::string text;
    for (const std::string& record : ReadRecords()) text += record;
    return text;
  }
  std::string RefreshAndRead() {
    Refresh();
    return Read();
  }
  /// Another process, with what this one knew.
  void Restart(std::vector<FilePosition> positions) {
    tailer_ = std::make_unique<Tailer>(flow_, 7);
    tailer_->Restore(std::move(positions));
  }
  void Restart() { Restart(tailer_->Positions()); }
  Tailer& tailer() { return *tailer_; }

 private:
  fs::path directory_;
  FlowConfig flow_;
  std::unique_ptr<Tailer> tailer_;
  Tailer::Times now_{.wall_ms = 1'700'000'000'000, .monotonic_ms = 1'000'000};
};

}  // namespace

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
