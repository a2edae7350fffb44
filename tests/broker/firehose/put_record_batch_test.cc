// PutRecordBatch: results in the order of the request, records in their order in the lake, limits, and failures that
// are told per record.
#include <set>

#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

std::string Batch(std::string_view name, const std::vector<std::string>& records) {
  std::string json = fmt::format(R"({{"DeliveryStreamName":"{}","Records":[)", name);
  for (std::size_t i = 0; i < records.size(); ++i) {
    json += fmt::format(R"({}{{"Data":"{}"}})", i == 0 ? "" : ",", protocol::EncodeBase64(records[i]));
  }
  return json + "]}";
}

TEST_CASE("PutRecordBatch: 500 records, each with an id, delivered in their order", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  std::vector<std::string> records;
  std::string all;
  for (int i = 0; i < 500; ++i) {
    records.push_back(fmt::format("{};", i));
    all += records.back();
  }
  const Reply reply = core.MustRun("PutRecordBatch", Batch("orders", records));
  CHECK(reply.At("FailedPutCount") == "0");
  CHECK(reply.At("Encrypted") == "false");
  CHECK(reply.At("RequestResponses") == "500");
  std::set<std::string> ids;
  for (int i = 0; i < 500; ++i) ids.insert(reply.At(fmt::format("RequestResponses.{}.RecordId", i)));
  CHECK(ids.size() == 500);
  CHECK_FALSE(ids.contains(""));
  CHECK(core.Delivered("orders") == all);
}

TEST_CASE("PutRecordBatch: in their order also where they take several batches", "[firehose]") {
  FirehoseCore core({}, {.batch_bytes_max = 4'096, .record_bytes_max = 2'048});
  core.Create("orders");
  std::vector<std::string> records;
  std::string all;
  for (char c = 'a'; c <= 'z'; ++c) {
    records.emplace_back(1'000, c);
    all += records.back();
  }
  core.MustRun("PutRecordBatch", Batch("orders", records));
  CHECK(core.Delivered("orders") == all);
}

TEST_CASE("PutRecordBatch: limits", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  CHECK(core.Run("PutRecordBatch", Batch("orders", {}))
            .message()
            .contains("at 'records' failed to satisfy constraint: Member must have length greater than or equal to 1"));
  CHECK(core.Run("PutRecordBatch", Batch("orders", std::vector<std::string>(501, "x")))
            .message()
            .contains("at 'records' failed to satisfy constraint: Member must have length less than or equal to 500"));
  std::vector<std::string> records(4, std::string(1'024'000, 'x'));
  records.emplace_back((4u << 20) - 4 * 1'024'000, 'y');
  CHECK(core.MustRun("PutRecordBatch", Batch("orders", records)).At("FailedPutCount") == "0");
  records.back() += 'y';
  CHECK(core.Run("PutRecordBatch", Batch("orders", records)).error ==
        ApiError("InvalidArgumentException", "Records size exceeds 4 MB limit"));
  records.front() += 'x';
  CHECK(core.Run("PutRecordBatch", Batch("orders", records)).message() ==
        "1 validation error detected: Value at 'records.1.member.data' failed to satisfy constraint: Member must have "
        "length less than or equal to 1024000");
  CHECK(core.Run("PutRecordBatch", R"({"DeliveryStreamName":"orders","Records":[{"Data":""},null]})").message() ==
        "1 validation error detected: Value null at 'records.2.member' failed to satisfy constraint: Member must not "
        "be null");
}

TEST_CASE("PutRecordBatch: what the broker cannot take is told per record", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  const auto [code, type, message] = GENERATE(
      table<Code, std::string, std::string>({{Code::kResourceExhausted, "ServiceUnavailableException", "Slow down."},
                                             {Code::kIoError, "InternalFailure", "the disk is gone"}}));
  core.core.store.FailAppends(Status(code, "the disk is gone"));
  const Reply reply = core.MustRun("PutRecordBatch", Batch("orders", {"a", "b"}));
  CHECK(reply.At("FailedPutCount") == "2");
  CHECK(reply.At("RequestResponses.1.ErrorCode") == type);
  CHECK(reply.At("RequestResponses.1.ErrorMessage") == message);
  CHECK(reply.At("RequestResponses.1.RecordId").empty());
  const Reply one = core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":""}})");
  CHECK(one.type() == type);
  CHECK(one.error->http_status >= 500);
}

TEST_CASE("PutRecordBatch: counted by delivery stream, taken or refused, as long as it exists", "[firehose]") {
  FirehoseCore core;
  core.Create("orders");
  core.Create("other");
  core.MustRun("PutRecordBatch", Batch("orders", {"abc", "de"}));
  core.Put("orders", "f");
  core.core.store.FailAppends(Status(Code::kResourceExhausted, "full"));
  core.MustRun("PutRecordBatch", Batch("orders", {"a", "b"}));
  std::string counts = core.PutCounts();
  const auto value = [&counts](std::string_view name, std::string_view labels) {
    const std::string begin = fmt::format("\n{}{{{}}} ", name, labels);
    const std::size_t at = counts.find(begin);
    if (at == counts.npos) return std::string("none");
    return counts.substr(at + begin.size(), counts.find('\n', at + 1) - at - begin.size());
  };
  CHECK(value("sluice_firehose_put_requests_total", R"(delivery_stream="orders",operation="PutRecordBatch")") == "2");
  CHECK(value("sluice_firehose_put_requests_total", R"(delivery_stream="orders",operation="PutRecord")") == "1");
  CHECK(value("sluice_firehose_put_records_total", R"(delivery_stream="orders")") == "3");
  CHECK(value("sluice_firehose_put_bytes_total", R"(delivery_stream="orders")") == "6");
  CHECK(value("sluice_firehose_put_refused_records_total", R"(delivery_stream="orders")") == "2");
  CHECK(value("sluice_firehose_put_records_total", R"(delivery_stream="other")") == "0");
  core.MustRun("DeleteDeliveryStream", R"({"DeliveryStreamName":"other"})");
  counts = core.PutCounts();
  CHECK(value("sluice_firehose_put_records_total", R"(delivery_stream="other")") == "none");
}

TEST_CASE("PutRecordBatch: not on one that reads a stream", "[firehose]") {
  FirehoseCore core;
  REQUIRE(core.core.catalog->Create("clicks", 1, {}).has_value());
  core.CreateFromStream("lake", "clicks");
  CHECK(core.Run("PutRecordBatch", Batch("lake", {"a"})).type() == "InvalidSourceException");
}

}  // namespace
}  // namespace sluice::broker::firehose
