// docs/firehose.md has a line for every member that a request may have, and says what becomes of it. A row stands for
// the members in its first cell; where it says "[as ..](#heading)", what is below them has rows there.
#include <re2/re2.h>

#include "protocol/ascii.h"
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

class Page {
 public:
  explicit Page(const std::string& file) {
    std::ifstream lines(file);
    std::string anchor;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#")) anchor = AnchorOf(line.substr(line.find(' ') + 1));
      if (line.starts_with("| `")) AddRow(line, rows_[anchor]);
    }
  }

  bool Has(const std::string& anchor, const std::string& member) const {
    const auto rows = rows_.find(anchor);
    if (rows == rows_.end()) return false;
    if (rows->second.contains(member)) return true;
    for (std::size_t end = member.rfind('.'); end != std::string::npos; end = member.rfind('.', end - 1)) {
      const auto above = rows->second.find(member.substr(0, end));
      if (above != rows->second.end()) return Has(above->second, member.substr(end + 1));
    }
    return false;
  }

 private:
  using Rows = std::map<std::string, std::string>;  // members, and the heading that they refer to

  static std::string AnchorOf(std::string heading) {
    std::ranges::transform(heading, heading.begin(), [](char c) { return c == ' ' ? '-' : protocol::Lower(c); });
    return heading;
  }

  static void AddRow(std::string_view line, Rows& rows) {
    static const re2::RE2 name("`([A-Za-z0-9.]+)`");
    static const re2::RE2 reference(R"(\[as [^\]]*\]\(#([a-z-]+)\))");
    std::string anchor;
    re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), reference, &anchor);
    re2::StringPiece members(line.data(), std::min(line.size(), line.find(" | ")));
    for (std::string member; re2::RE2::FindAndConsume(&members, name, &member);) rows[member] = anchor;
  }

  std::map<std::string, Rows> rows_;
};

TEST_CASE("docs/firehose.md: has a row for every member", "[firehose]") {
  const FirehoseCore core;
  const Page page("docs/firehose.md");
  REQUIRE(core.operations().size() == 12);
  for (const aws::Operation& operation : core.operations()) {
    for (const std::string& member : protocol::aws::MemberPaths(operation.input())) {
      INFO(operation.name << " " << member);
      CHECK(page.Has("requests", member));
    }
  }
}

}  // namespace
}  // namespace sluice::broker::firehose
