// Frames: what Seal writes is what Verify reads, and any flipped bit is found.
#include "protocol/frame.h"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

constexpr std::size_t kBatchBytes = 100;

Frame MakeFrame() {
  FrameBuffer buffer(kBatchBytes);
  std::ranges::fill(buffer.batch(), 'x');
  SetChecksum(buffer.batch());
  FrameHeader header;
  header.shard = {StreamId(7), ShardIndex(3)};
  header.base_offset = Offset(1000);
  header.record_count = 5;
  header.append_time_ms = 1'700'000'000'123;
  header.durable_upto = Offset(990);
  return Frame::Seal(std::move(buffer), header);
}

}  // namespace

TEST_CASE("Frame Seal: VerifyFrame reads the same header", "[protocol]") {
  const Frame frame = MakeFrame();
  const Result<FrameHeader> header = VerifyFrame(frame.bytes());
  REQUIRE(header.has_value());
  CHECK(header->shard == ShardId{StreamId(7), ShardIndex(3)});
  CHECK(header->base_offset == Offset(1000));
  CHECK(header->end_offset() == Offset(1005));
  CHECK(header->payload_bytes == kBatchBytes);
  CHECK(header->append_time_ms == 1'700'000'000'123);
  CHECK(header->durable_upto == Offset(990));
  CHECK(frame.size() == kFrameHeaderSize + kBatchBytes);
  CHECK(frame.batch() == frame.bytes().substr(kFrameHeaderSize));
}

TEST_CASE("VerifyFrame: every flipped bit is found", "[protocol]") {
  const Frame frame = MakeFrame();
  const std::string good(frame.bytes());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    if (VerifyFrame(bad).has_value()) FAIL("bit " << bit << " was not noticed");
  }
}

TEST_CASE("VerifyFrame: every truncation is found, bytes behind the frame are not read", "[protocol]") {
  const Frame frame = MakeFrame();
  const std::string good(frame.bytes());
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (VerifyFrame(std::string_view(good).substr(0, size)).has_value()) FAIL("cut at " << size << " was not noticed");
  }
  CHECK(VerifyFrame(good + "rubbish").has_value());
}

TEST_CASE("ParseFrameHeader: limits are checked before the checksum, another version is named", "[protocol]") {
  const Frame frame = MakeFrame();
  std::string bytes(frame.bytes());
  SECTION("another version") {
    bytes[4] = static_cast<char>(GENERATE(1, 3));
    const auto header = ParseFrameHeader(bytes);
    REQUIRE_FALSE(header.has_value());
    CHECK(header.error().code() == Code::kUnimplemented);
  }
  SECTION("payload beyond the limit") {
    bytes[31] = 0x7f;
    CHECK(ParseFrameHeader(bytes).error().code() == Code::kCorruption);
  }
  SECTION("no records") {
    bytes[24] = 0;
    CHECK(ParseFrameHeader(bytes).error().code() == Code::kCorruption);
  }
  SECTION("offset beyond the largest") {
    bytes[23] = static_cast<char>(0xff);
    CHECK(ParseFrameHeader(bytes).error().code() == Code::kCorruption);
  }
  SECTION("durable end above its own offset") {
    bytes[47] = 0x01;
    CHECK(ParseFrameHeader(bytes).error().code() == Code::kCorruption);
  }
}

TEST_CASE("FrameArena Take: buffers of any size do not overlap and outlive the arena", "[protocol]") {
  std::vector<FrameBuffer> buffers;
  {
    FrameArena arena;
    for (std::size_t i = 0; i < 500; ++i) buffers.push_back(arena.Take(i * i % 20'000));
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    REQUIRE(buffers[i].batch().size() == i * i % 20'000);
    std::ranges::fill(buffers[i].batch(), static_cast<char>(i));
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto is_own = [&](char byte) { return byte == static_cast<char>(i); };
    REQUIRE(std::ranges::all_of(buffers[i].batch_view(), is_own));
  }
}

TEST_CASE("Frame Borrow: shares the bytes it was given", "[protocol]") {
  const Frame frame = MakeFrame();
  const std::shared_ptr<char[]> memory(new char[frame.size() + 10]);
  std::ranges::copy(frame.bytes(), memory.get() + 10);
  const std::string_view bytes(memory.get() + 10, frame.size());
  const Frame borrowed = Frame::Borrow(memory, bytes, frame.header());
  CHECK(borrowed.bytes().data() == memory.get() + 10);
  CHECK(borrowed.bytes() == frame.bytes());
}

}  // namespace sluice::protocol
