// SparseBytes against a plain string, over random histories of everything it can do.
#include "storage/env/sparse_bytes.h"

#include <algorithm>
#include <string>

#include "storage/env/block_set.h"
#include "storage/env/seeded_random.h"
#include "tests/catch.h"

namespace sluice::storage {
namespace {

constexpr std::uint64_t kPlaces = 20'000;  // about five pieces

/// Bytes of which many are zeros, in runs.
std::string RandomBytes(SeededRandom& random) {
  std::string bytes(random.Next() % 9'000, '\0');
  for (std::uint64_t runs = random.Next() % 3; runs > 0 && !bytes.empty(); --runs) {
    const std::uint64_t begin = random.Next() % bytes.size();
    std::fill_n(bytes.data() + begin, std::min(random.Next() % 3'000, bytes.size() - begin), 'x');
  }
  return bytes;
}

void WriteInto(std::string& text, std::uint64_t offset, std::string_view bytes) {
  if (text.size() < offset + bytes.size()) text.resize(offset + bytes.size(), '\0');
  bytes.copy(text.data() + offset, bytes.size());
}

TEST_CASE("SparseBytes: is as a string over random histories", "[storage][env]") {
  const std::uint64_t seed = GENERATE(1, 2, 3, 4);
  CAPTURE(seed);
  SeededRandom random(seed);
  SparseBytes sparse, other;
  std::string text, other_text;
  for (int step = 0; step < 500; ++step) {
    const std::uint64_t place = random.Next() % kPlaces;
    switch (random.Next() % 6) {
      case 0:
        sparse.Resize(place);
        text.resize(place, '\0');
        break;
      case 1:
      case 2: {
        const std::string bytes = RandomBytes(random);
        sparse.Write(place, bytes);
        if (!bytes.empty() || place > text.size()) WriteInto(text, place, bytes);
        break;
      }
      case 3: {
        const std::uint64_t bytes = random.Next() % 9'000;
        std::string range = place < other_text.size() ? other_text.substr(place, bytes) : "";
        range.resize(bytes, '\0');
        sparse.CopyRange(other, place, bytes);
        WriteInto(text, place, range);
        break;
      }
      case 4:
        if (place >= text.size()) break;
        sparse.FlipBit(place * 8 + 3);
        text[place] = static_cast<char>(text[place] ^ 8);
        break;
      case 5:
        other = sparse;
        other_text = text;
        break;
    }
    CAPTURE(step);
    REQUIRE(sparse.size() == text.size());
    REQUIRE(sparse.Text() == text);
    std::string part(random.Next() % 6'000, '?');
    part.resize(sparse.Read(place, part));
    REQUIRE(part == (place < text.size() ? text.substr(place, part.size()) : ""));
    REQUIRE(other.Text() == other_text);
  }
}

TEST_CASE("BlockSet: runs of blocks that come and go", "[storage][env]") {
  BlockSet set;
  const auto runs = [&] {
    std::string text;
    set.ForEachRun([&](std::uint64_t begin, std::uint64_t end) {
      text += std::to_string(begin) + "-" + std::to_string(end) + " ";
    });
    return text;
  };
  CHECK(runs().empty());
  set.Add(3, 5);
  set.Add(9, 10);
  set.Add(5, 6);
  set.Add(7, 7);
  CHECK(runs() == "3-6 9-10 ");
  set.Remove(4, 5);
  set.Remove(8, 100);
  CHECK(runs() == "3-4 5-6 ");
  BlockSet more;
  more.Add(4, 5);
  more.Add(70, 80);
  set.Merge(more);
  CHECK(runs() == "3-6 70-80 ");
  set.RemoveFrom(75);
  CHECK(runs() == "3-6 70-75 ");
  set.Clear();
  CHECK(runs().empty());
}

}  // namespace
}  // namespace sluice::storage
