// The examples of storage/FORMAT.md are what the code writes, and it reads them back.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "protocol/batch.h"
#include "protocol/frame.h"
#include "storage/checkpoint.h"
#include "storage/journal_format.h"
#include "storage/journal_list.h"
#include "storage/segment_format.h"
#include "storage/sparse_index.h"
#include "tests/catch.h"

namespace sluice::storage {
namespace {

constexpr ShardId kShard{StreamId(7), ShardIndex(3)};
constexpr std::int64_t kTime = 1'700'000'000'000;

/// The bytes of the page's fenced hex blocks, in order.
std::vector<std::string> Examples() {
  std::ifstream page("storage/FORMAT.md");
  REQUIRE(page.good());
  std::vector<std::string> examples;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```hex") {
      inside = true;
      examples.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      std::istringstream bytes(line.substr(line.find(':') + 1));
      for (unsigned byte = 0; bytes >> std::hex >> byte;) examples.back().push_back(static_cast<char>(byte));
    }
  }
  REQUIRE(examples.size() == 7);
  return examples;
}

protocol::Frame ExampleFrame() {
  protocol::BatchBuilder builder;
  builder.Add(kTime, "k", "v");
  std::string batch;
  builder.Finish(batch);
  protocol::FrameBuffer buffer(batch.size());
  std::ranges::copy(batch, buffer.batch().begin());
  protocol::SetBaseOffset(buffer.batch(), Offset(1000));
  protocol::FrameHeader header;
  header.shard = kShard;
  header.base_offset = Offset(1000);
  header.record_count = 1;
  header.append_time_ms = kTime + 123;
  header.durable_upto = Offset(1000);
  return protocol::Frame::Seal(std::move(buffer), header);
}

Checkpoint ExampleCheckpoint() {
  const protocol::Frame frame = ExampleFrame();
  ShardRecord shard;
  shard.id = kShard;
  shard.oldest = Offset(995);
  shard.end = Offset(1001);
  shard.last_append_time_ms = kTime + 123;
  shard.holes = {{Offset(995), Offset(1000), true}};
  shard.segments = {{Offset(1000), Offset(1001), kPageBytes + frame.size(), kTime + 123, frame.header().checksum}};
  shard.producers = {{ProducerId(9), 2, {{0, 0, Offset(1000), 1, kTime + 123}}}};
  Checkpoint checkpoint;
  checkpoint.sequence = 3;
  checkpoint.replay = {.file_sequence = 5, .position = 8192, .group = 43};
  checkpoint.durable_mark = 42;
  checkpoint.shards = {shard};
  return checkpoint;
}

/// Any flipped bit must be noticed.
template <typename Decode>
void CheckEveryFlip(const std::string& good, Decode decode) {
  REQUIRE(decode(good));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    if (decode(bad)) FAIL("bit " << bit << " was not noticed");
  }
}

}  // namespace

TEST_CASE("FORMAT.md: frame", "[storage]") { CHECK(std::string(ExampleFrame().bytes()) == Examples()[0]); }

TEST_CASE("FORMAT.md: journal file header", "[storage]") {
  const std::string page =
      EncodeJournalFileHeader({.sequence = 5, .first_group = 40, .file_bytes = 64u << 20, .begun_ms = kTime + 100});
  CHECK(page.size() == kPageBytes);
  CHECK(page.substr(0, kBlockHeaderBytes) == Examples()[1]);
  CHECK(page.find_first_not_of('\0', kBlockHeaderBytes) == std::string::npos);
  CheckEveryFlip(Examples()[1], [](const std::string& bytes) { return DecodeJournalFileHeader(bytes).has_value(); });
}

TEST_CASE("FORMAT.md: group header and index", "[storage]") {
  const protocol::Frame frame = ExampleFrame();
  std::string bytes(kBlockHeaderBytes, '\0');
  AppendGroupEntry(frame.header(), bytes);
  GroupHeader header{.number = 42, .file_sequence = 5, .durable_mark = 41, .frame_count = 1};
  header.bytes = static_cast<std::uint32_t>(bytes.size() + frame.size());
  header.written_ms = kTime + 124;
  SealGroupHeader(header, bytes);
  CHECK(bytes == Examples()[2]);
  const auto read = VerifyGroupHeader(bytes);
  REQUIRE(read.has_value());
  CHECK(read->number == 42);
  CHECK(DecodeGroupEntry(bytes.data() + kBlockHeaderBytes).base_offset == Offset(1000));
  CheckEveryFlip(bytes, [](const std::string& bad) { return VerifyGroupHeader(bad).has_value(); });
}

TEST_CASE("FORMAT.md: list of journal files", "[storage]") {
  const std::vector<JournalListEntry> entries{{"0000.log", 64u << 20}, {"0001.log", 64u << 20}};
  CHECK(EncodeJournalList(entries) == Examples()[3]);
  CHECK(DecodeJournalList(Examples()[3]) == entries);
  CheckEveryFlip(Examples()[3], [](const std::string& bytes) { return DecodeJournalList(bytes).has_value(); });
}

TEST_CASE("FORMAT.md: segment header and name", "[storage]") {
  const std::string page = EncodeSegmentHeader({.shard = kShard,
                                                .base_offset = Offset(1000),
                                                .previous_end = Offset(1000),
                                                .previous_checksum = 0x1122334455667788,
                                                .created_ms = kTime + 200});
  CHECK(page.size() == kPageBytes);
  CHECK(page.substr(0, kBlockHeaderBytes) == Examples()[4]);
  CheckEveryFlip(Examples()[4], [](const std::string& bytes) { return DecodeSegmentHeader(bytes).has_value(); });
  const SegmentName name{kShard, Offset(1000)};
  CHECK(ToFileName(name) == "00000007-00000003-00000000000003e8.seg");
  CHECK(ParseSegmentFileName(ToFileName(name)) == name);
  for (const char* other :
       {"", "x.seg", "00000007-00000003-00000000000003e8.seg.idx", "0000000G-00000003-00000000000003e8.seg",
        "free-0000000000000001.seg", "00000007-00000003-ffffffffffffffff.seg"}) {
    CHECK_FALSE(ParseSegmentFileName(other).has_value());
  }
}

TEST_CASE("FORMAT.md: index", "[storage]") {
  SparseIndex index;
  index.Add(Offset(1000), kPageBytes, kTime + 123);
  const SegmentName name{kShard, Offset(1000)};
  CHECK(index.Encode(name, Offset(1001)) == Examples()[5]);
  CheckEveryFlip(Examples()[5],
                 [&](const std::string& bytes) { return SparseIndex::Decode(bytes, name, Offset(1001)).has_value(); });
}

TEST_CASE("FORMAT.md: checkpoint", "[storage]") {
  const Checkpoint checkpoint = ExampleCheckpoint();
  const std::string bytes = EncodeCheckpoint(checkpoint);
  CHECK(bytes == Examples()[6]);
  const auto read = DecodeCheckpoint(bytes + "left over");
  REQUIRE(read.has_value());
  CHECK(read->shards == checkpoint.shards);
  CHECK(read->replay == checkpoint.replay);
  CheckEveryFlip(bytes, [](const std::string& bad) { return DecodeCheckpoint(bad).has_value(); });
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    if (DecodeCheckpoint(bytes.substr(0, size)).has_value()) FAIL("cut at " << size << " was not noticed");
  }
}

TEST_CASE("SparseIndex Find: the last entry at or before an offset, the last before a time", "[storage]") {
  SparseIndex index;
  for (std::uint64_t i = 0; i < 100; ++i) {
    index.Add(Offset(i), kPageBytes + i * 8192, static_cast<std::int64_t>(1000 + i));
  }
  CHECK(index.size() == 25);  // one in four
  CHECK(index.Find(Offset(0)).offset == Offset(0));
  CHECK(index.Find(Offset(3)).offset == Offset(0));
  CHECK(index.Find(Offset(4)).offset == Offset(4));
  CHECK(index.Find(Offset(99)).offset == Offset(96));
  CHECK(index.FindTime(0).offset == Offset(0));
  CHECK(index.FindTime(1004).offset == Offset(0));
  CHECK(index.FindTime(1005).offset == Offset(4));
  CHECK(index.FindTime(9999).offset == Offset(96));
}

}  // namespace sluice::storage
