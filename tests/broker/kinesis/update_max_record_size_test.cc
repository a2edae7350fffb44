// UpdateMaxRecordSize: the next record may be larger, or no longer.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

TEST_CASE("UpdateMaxRecordSize: in force with the next record, and kept", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto put = [&] {
    return core.Run("PutRecord", R"({"StreamName":"orders","PartitionKey":"k","Data":")" +
                                     protocol::EncodeBase64(std::string(1u << 20, 'x')) + "\"}");
  };
  const auto update = [&](int kib) {
    return core.Run("UpdateMaxRecordSize", R"({"StreamARN":"arn:aws:kinesis:us-east-1:000000000000:stream/orders",)"
                                           R"("MaxRecordSizeInKiB":)" +
                                               std::to_string(kib) + "}");
  };
  CHECK(put().type() == "ValidationException");
  CHECK(update(10'240).body.empty());
  core.Restart();
  CHECK(!put().error);
  CHECK(core.MustRun("DescribeStreamSummary", R"({"StreamName":"orders"})")
            .At("StreamDescriptionSummary.MaxRecordSizeInKiB") == "10240");
  CHECK(!update(1'024).error);
  CHECK(put().type() == "ValidationException");
  CHECK(update(1'023).type() == "ValidationException");
  CHECK(update(10'241).type() == "ValidationException");
  CHECK(core.Run("UpdateMaxRecordSize", R"({"MaxRecordSizeInKiB":1024})").type() == "InvalidArgumentException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
