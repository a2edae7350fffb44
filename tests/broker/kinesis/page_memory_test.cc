// PageMemory: shares of it, and pages that keep to theirs.
#include "broker/api/kinesis/page_memory.h"

#include <deque>
#include <optional>

#include "broker/api/kinesis/record_page.h"
#include "protocol/batch.h"
#include "tests/catch.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("PageShare: is the largest page while there is plenty, then less, never nothing", "[kinesis]") {
  PageMemory memory(64u << 20);
  std::deque<std::optional<PageShare>> shares;
  CHECK(shares.emplace_back(memory)->bytes() == kPageBytesMax);
  for (int i = 0; i < 1'000; ++i) CHECK(shares.emplace_back(memory)->bytes() >= kPageBytesMin);
  CHECK(shares.back()->bytes() == kPageBytesMin);
  shares.clear();
  CHECK(memory.bytes() == 0);
  CHECK(PageShare(memory).bytes() == kPageBytesMax);
}

TEST_CASE("WriteRecords: ends a page at its share, but gives one record", "[kinesis]") {
  protocol::BatchBuilder builder;
  for (int i = 0; i < 5; ++i) builder.Add(1'700'000'000'000, "key", std::string(1'000, 'v'));
  std::string batch;
  builder.Finish(batch);
  protocol::FrameBuffer buffer(batch.size());
  std::ranges::copy(batch, buffer.batch().begin());
  protocol::FrameHeader header;
  header.shard = {StreamId(1), ShardIndex(0)};
  header.record_count = 5;
  const protocol::Frame frame = protocol::Frame::Seal(std::move(buffer), header);
  auto stream = std::make_shared<StreamInfo>();
  stream->id = header.shard.stream;
  stream->all_shards = NewShards(protocol::ShardMap::Uniform(1), 0);
  PageRequest page{.stream = std::move(stream),
                   .shard = ShardIndex(0),
                   .first = Offset(0),
                   .records_max = 100,
                   .bytes_max = 3'500,
                   .frames = {frame},
                   .frames_end = Offset(5)};
  CHECK(WriteRecords(*protocol::aws::Writer::New(protocol::aws::Encoding::kJson), page)->next == Offset(3));
  page.bytes_max = 10;
  CHECK(WriteRecords(*protocol::aws::Writer::New(protocol::aws::Encoding::kJson), page)->next == Offset(1));
}

}  // namespace
}  // namespace sluice::broker::kinesis
