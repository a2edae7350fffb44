// A sample over the broker's core: what a request may be, and what it may become.
#include "protocol/base64.h"
#include "protocol/json_writer.h"
#include "tests/delivery/managed.h"

namespace sluice::delivery {
namespace {

std::string Request(std::string_view document, const std::vector<std::string>& records) {
  protocol::JsonWriter json;
  json.BeginObject().Key("file").String(document).Key("records").BeginList();
  for (const std::string& record : records) json.Base64(record);
  json.EndList().EndObject();
  return json.text();
}

/// Parquet with an object for each value of "c".
constexpr std::string_view kPartitioned = R"({"DeliveryStreamName": "d", "ExtendedS3DestinationConfiguration": {
  "BucketARN": "lake", "Prefix": "c=!{partitionKeyFromQuery:c}/", "ProcessingConfiguration": {"Enabled": true, "Processors": [
    {"Type": "MetadataExtraction", "Parameters": [{"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{c: .c}"}]}]},
  "DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}}}})";

/// Of many fields.
std::string Wide(int customer) {
  std::string record = fmt::format(R"({{"c":"{}")", customer);
  for (int field = 0; field < 60; ++field) record += fmt::format(R"(,"f{}":{})", field, field);
  return record + "}";
}

}  // namespace

TEST_CASE("DeliveryManager Handle: a sample is tried, and nothing of it is stored", "[delivery]") {
  Managed managed;
  managed.Start();
  const std::string answer = managed.Answer(DeliveryAction::kTry, "", Request(Document("d", "orders"), {"a", "b"}));
  CHECK(Contains(answer, R"("sample":{"totals":{"records":2)"));
  CHECK(Contains(answer, R"("error":false,"content":")"));
  CHECK(Contains(managed.Answer(DeliveryAction::kList, ""), R"("delivery_streams":[])"));
  CHECK(managed.core.metadata->Scan("delivery/")->empty());
  const auto refused = managed.Do(DeliveryAction::kTry, "", Request("{}", {"a"}));
  REQUIRE_FALSE(refused.has_value());
  CHECK(Contains(refused.error().message(), "/file.json:1: "));
}

TEST_CASE("DeliveryManager Handle: a sample is not sent to an endpoint", "[delivery]") {
  Managed managed;
  managed.Start();
  constexpr std::string_view kDocument = R"({"DeliveryStreamName": "d", "HttpEndpointDestinationConfiguration": {
    "EndpointConfiguration": {"Url": "http://127.0.0.1:9/"}, "S3Configuration": {"BucketARN": "lake"}}})";
  const auto answer = managed.Do(DeliveryAction::kTry, "", Request(kDocument, {"a"}));
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().message() ==
        "a sample for 'd' would be sent to its endpoint; samples are tried for S3 destinations only");
}

TEST_CASE("DeliveryManager Handle: a sample becomes objects, and is not loaded into a cluster", "[delivery]") {
  Managed managed;
  managed.Start();
  constexpr std::string_view kDocument = R"({"DeliveryStreamName": "d", "RedshiftDestinationConfiguration": {
    "RoleARN": "r", "ClusterJDBCURL": "jdbc:redshift://127.0.0.1:9/dev", "Username": "u", "Password": "secret",
    "CopyCommand": {"DataTableName": "t"}, "S3Configuration": {"BucketARN": "lake"}}})";
  const std::string answer = managed.Answer(DeliveryAction::kTry, "", Request(kDocument, {"a", "b"}));
  CHECK(Contains(answer, R"("sample":{"totals":{"records":2)"));
  CHECK(Contains(answer, R"("copy":"COPY t FROM 's3://lake/manifests/)"));
  CHECK_FALSE(Contains(answer, "loaded_rows"));
  CHECK_FALSE(Contains(answer, "secret"));
}

TEST_CASE("DeliveryManager Handle: what is no request for a trial", "[delivery]") {
  Managed managed;
  managed.Start();
  const std::string document = Document("d", "orders");
  struct Wrong {
    std::string request;
    std::string_view why;
  };
  for (const Wrong& wrong :
       {Wrong{"", ""}, Wrong{"[]", ""}, Wrong{R"({"file": "x"})", "'records'"},
        Wrong{R"({"file": "x", "records": ["?"]})", "base64"},
        Wrong{Request(document, std::vector<std::string>(kTrialRecordsMax + 1, "x")), "at most 200 records"},
        Wrong{Request(document, {std::string(kTrialBytesMax + 1, 'x')}), "of 262144 bytes in all"}}) {
    INFO(wrong.request.substr(0, 80));
    const auto answer = managed.Do(DeliveryAction::kTry, "", wrong.request);
    REQUIRE_FALSE(answer.has_value());
    INFO(answer.error().message());
    CHECK(answer.error().code() == Code::kInvalidArgument);
    CHECK(Contains(answer.error().message(), wrong.why));
  }
}

TEST_CASE("DeliveryManager Handle: a sample that becomes more than an answer holds is told so", "[delivery]") {
  Managed managed;
  managed.Start();
  std::vector<std::string> records;
  for (int i = 0; i < 200; ++i) records.push_back(Wide(i));
  const auto answer = managed.Do(DeliveryAction::kTry, "", Request(kPartitioned, records));
  REQUIRE_FALSE(answer.has_value());
  CHECK(Contains(answer.error().message(), "the sample becomes 200 objects"));
  records.resize(20);
  CHECK(Contains(managed.Answer(DeliveryAction::kTry, "", Request(kPartitioned, records)), R"("key":"c=19/d-1-)"));
}

}  // namespace sluice::delivery
