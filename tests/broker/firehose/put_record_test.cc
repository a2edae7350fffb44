// PutRecord: durable with the answer, delivered as it was put, and what is refused.
#include <set>

#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

TEST_CASE("PutRecord: the bytes reach the lake as they are, with nothing between them", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  const Reply first = core.Put("orders", std::string("\0one\xff", 5));
  CHECK(first.At("Encrypted") == "false");
  CHECK(first.At("RecordId").size() == 32);
  std::set<std::string> ids{first.At("RecordId")};
  ids.insert(core.Put("orders", "").At("RecordId"));  // a record may be empty
  ids.insert(core.Put("orders", "one").At("RecordId"));
  CHECK(ids.size() == 3);
  std::string delivered = core.Delivered("orders");
  CHECK(delivered.size() == 8);
  CHECK(delivered.contains(std::string("\0one\xff", 5)));
}

TEST_CASE("PutRecord: a delimiter where a processor appends it", "[firehose]") {
  FirehoseCore core;
  core.Create("d", R"("ProcessingConfiguration":{"Enabled":true,"Processors":[{"Type":"AppendDelimiterToRecord"}]})");
  core.MustRun("PutRecordBatch", R"({"DeliveryStreamName":"d","Records":[{"Data":"YQ=="},{"Data":"Yg=="}]})");
  CHECK(core.Delivered("d") == "a\nb");
}

TEST_CASE("PutRecord: what is refused", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  core.Create("orders");
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"none","Record":{"Data":""}})").error ==
        ApiError("ResourceNotFoundException", "Firehose none under account 123456789012 not found."));
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"lake","Record":{"Data":""}})").error ==
        ApiError("InvalidSourceException",
                 "This operation is not permitted on KinesisStreamAsSource delivery stream type."));
  CHECK(
      core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{}})").message() ==
      "1 validation error detected: Value null at 'record.data' failed to satisfy constraint: Member must not be null");
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"orders"})").message() ==
        "1 validation error detected: Value null at 'record' failed to satisfy constraint: Member must not be null");
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":"a"}})").type() ==
        "SerializationException");
}

TEST_CASE("PutRecord: 1,024,000 bytes and not one more", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  core.Put("orders", std::string(1'024'000, 'x'));
  const Reply reply = core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":")" +
                                                protocol::EncodeBase64(std::string(1'024'001, 'x')) + "\"}}");
  CHECK(reply.error == ApiError("ValidationException",
                                "1 validation error detected: Value at 'record.data' failed to satisfy constraint: "
                                "Member must have length less than or equal to 1024000"));
}

TEST_CASE("PutRecord: the broker's own limit of a record, in the same words", "[firehose]") {
  FirehoseCore core({}, {.record_bytes_max = 1'024});
  core.Create("orders");
  const Reply reply = core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":")" +
                                                protocol::EncodeBase64(std::string(1'025, 'x')) + "\"}}");
  CHECK(reply.message() ==
        "1 validation error detected: Value at 'record.data' failed to satisfy constraint: Member "
        "must have length less than or equal to 1024");
}

}  // namespace
}  // namespace sluice::broker::firehose
