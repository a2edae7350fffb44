// Which files of the folder are used when: new, changed, two of one delivery stream, unusable ones.
#include "broker/delivery/config_folder.h"

#include <vector>

#include "storage/env/memory_env.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

/// A folder whose files hold "NAME" or "NAME TEXT", and what was made of them.
struct Folder {
  Folder() { REQUIRE(env.MakeDirs("/conf").ok()); }
  void Write(const std::string& name, std::string_view text) { env.WriteByHand("/conf/" + name, text); }
  void Remove(const std::string& name) { REQUIRE(env.Remove("/conf/" + name).ok()); }
  /// The documents that this look used.
  std::vector<std::string> Look() {
    used.clear();
    folder.Look();
    return used;
  }
  std::optional<Result<DeliveryAnswer>> Use(const std::string& document) {
    if (busy) return std::nullopt;
    used.push_back(document);
    if (!failure.ok()) return Result<DeliveryAnswer>(Error(failure));
    return Result<DeliveryAnswer>(DeliveryAnswer{"{}", {}});
  }

  storage::MemoryEnv env;
  bool busy = false;
  Status failure;
  std::vector<std::string> used;
  ConfigFolder folder{env,
                      "/conf",
                      {.read = [this](const std::string& path) { return Result<std::string>(env.ReadByHand(path)); },
                       .name_of = [](const std::string& document,
                                     const std::string&) { return document.substr(0, document.find(' ')); },
                       .use = [this](const std::string& document, const std::string&) { return Use(document); }}};
};

using Documents = std::vector<std::string>;

}  // namespace

TEST_CASE("ConfigFolder Look: the first look uses all files, the next ones nothing that is the same", "[delivery]") {
  Folder folder;
  folder.Write("a.json", "a");
  folder.Write("b.yaml", "b");
  folder.Write("c.yml", "c");
  folder.Write("readme.txt", "d");
  CHECK(folder.Look() == Documents{"a", "b", "c"});
  CHECK(folder.Look().empty());
}

TEST_CASE("ConfigFolder Look: later a file counts when two looks found the same in it", "[delivery]") {
  Folder folder;
  folder.Write("a.json", "a");
  folder.Look();
  folder.Write("a.json", "a cha");
  folder.Write("b.json", "b");
  CHECK(folder.Look().empty());
  folder.Write("a.json", "a changed");
  CHECK(folder.Look() == Documents{"b"});
  CHECK(folder.Look() == Documents{"a changed"});
  CHECK(folder.Look().empty());
  folder.Remove("a.json");
  CHECK(folder.Look().empty());
  folder.Write("a.json", "a changed");  // as it was, but it is a new file
  CHECK(folder.Look().empty());
  CHECK(folder.Look() == Documents{"a changed"});
}

TEST_CASE("ConfigFolder Look: what cannot be used now is tried again, what never can be rests", "[delivery]") {
  Folder folder;
  folder.Write("a.json", "a");
  const Code code = GENERATE(Code::kNotFound, Code::kInvalidArgument, Code::kUnavailable);
  folder.failure = Status(code, "no");
  CHECK(folder.Look() == Documents{"a"});
  CHECK(folder.Look() == Documents{"a"});
  folder.failure = Status(Code::kFailedPrecondition, "the source cannot become another");
  CHECK(folder.Look() == Documents{"a"});
  CHECK(folder.Look().empty());
  folder.failure = Status();
  folder.Write("a.json", "a again");
  CHECK(folder.Look().empty());
  CHECK(folder.Look() == Documents{"a again"});
}

TEST_CASE("ConfigFolder Look: a file waits while nothing can be made", "[delivery]") {
  Folder folder;
  folder.Write("a.json", "a");
  folder.busy = true;
  CHECK(folder.Look().empty());
  folder.busy = false;
  CHECK(folder.Look() == Documents{"a"});
  CHECK(folder.Look().empty());
}

TEST_CASE("ConfigFolder Look: of two files with one delivery stream the first counts while it is there", "[delivery]") {
  Folder folder;
  folder.Write("a.json", "x 1");
  folder.Write("b.json", "x 2");
  CHECK(folder.Look() == Documents{"x 1"});
  CHECK(folder.Look().empty());
  folder.Write("a.json", "x 3");
  folder.Look();
  CHECK(folder.Look() == Documents{"x 3"});
  if (GENERATE(true, false)) {
    folder.Remove("a.json");
    CHECK(folder.Look() == Documents{"x 2"});
  } else {
    folder.Write("a.json", "");  // a mistake
    folder.Look();
    CHECK(folder.Look() == Documents{""});
    folder.Write("a.json", "y");
    CHECK(folder.Look().empty());
    CHECK(folder.Look() == Documents{"y", "x 2"});
  }
}

TEST_CASE("ConfigFolder Look: a folder that is not there yet is looked for again", "[delivery]") {
  storage::MemoryEnv env;
  std::vector<std::string> used;
  ConfigFolder folder(env, "/conf",
                      {.read = [](const std::string&) { return Result<std::string>("a"); },
                       .name_of = [](const std::string& document, const std::string&) { return document; },
                       .use =
                           [&](const std::string& document, const std::string&) {
                             used.push_back(document);
                             return std::optional<Result<DeliveryAnswer>>(DeliveryAnswer{"{}", {}});
                           }});
  folder.Look();
  REQUIRE(env.MakeDirs("/conf").ok());
  env.WriteByHand("/conf/a.json", "a");
  folder.Look();
  CHECK(used == Documents{"a"});
}

}  // namespace sluice::delivery
