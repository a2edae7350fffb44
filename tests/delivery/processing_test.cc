// Processors by themselves: what becomes of a record, in which place, and what is said of one that they cannot process.
#include <fmt/format.h>

#include "broker/delivery/error_record.h"
#include "broker/delivery/processing/processor_registry.h"
#include "protocol/base64.h"
#include "tests/catch.h"
#include "tests/delivery/log_documents.h"

namespace sluice::delivery {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;

Result<std::unique_ptr<Processor>> TryMake(std::string_view type, Parameters parameters) {
  const ProcessorKind* const kind = FindProcessorKind(type);
  REQUIRE(kind != nullptr);
  return kind->make({.type = std::string(type), .parameters = std::move(parameters)}, {});
}

std::unique_ptr<Processor> Make(std::string_view type, Parameters parameters) {
  auto made = TryMake(type, std::move(parameters));
  REQUIRE(made.has_value());
  return std::move(*made);
}

std::string Wrong(std::string_view type, Parameters parameters) {
  const auto made = TryMake(type, std::move(parameters));
  REQUIRE(!made.has_value());
  CHECK(made.error().code() == Code::kInvalidArgument);
  return made.error().message();
}

std::unique_ptr<Processor> Decompression() { return Make("Decompression", {}); }
std::unique_ptr<Processor> CloudWatch() { return Make("CloudWatchLogProcessing", {{"DataMessageExtraction", "true"}}); }
std::unique_ptr<Processor> Json() { return Make("RecordDeAggregation", {{"SubRecordType", "JSON"}}); }
std::unique_ptr<Processor> Delimited(std::string_view delimiter) {
  return Make("RecordDeAggregation",
              {{"SubRecordType", "DELIMITED"}, {"Delimiter", protocol::EncodeBase64(delimiter)}});
}

std::vector<std::unique_ptr<Processor>> One(std::unique_ptr<Processor> processor) {
  std::vector<std::unique_ptr<Processor>> one;
  one.push_back(std::move(processor));
  return one;
}

RecordRef At(std::uint64_t offset, std::string_view value, std::optional<std::uint64_t> sub_sequence = {}) {
  return {.value = value,
          .key = "key",
          .shard = ShardIndex(3),
          .offset = Offset(offset),
          .append_time_ms = 77,
          .sub_sequence = sub_sequence};
}

/// A batch that went through processors.
struct Processed {
  WorkBatch batch;

  Processed(const std::vector<RecordRef>& records, const std::vector<std::unique_ptr<Processor>>& processors) {
    for (const RecordRef& record : records) batch.Add(record);
    for (const auto& processor : processors) REQUIRE(processor->Process(batch).ok());
  }
  Processed(std::string_view value, std::unique_ptr<Processor> processor) {
    batch.Add(At(0, value));
    REQUIRE(processor->Process(batch).ok());
  }

  Strings Values() const {
    Strings values;
    for (const WorkRecord& record : batch.records) values.emplace_back(record.record.value);
    return values;
  }
  /// OFFSET.PLACE of every record: "7.2"; "7" of one that is alone.
  Strings Places() const {
    Strings places;
    for (const WorkRecord& record : batch.records) places.push_back(Place(record.record));
    return places;
  }
  static std::string Place(const RecordRef& record) {
    const std::string offset = std::to_string(record.offset.value);
    return record.sub_sequence ? fmt::format("{}.{}", offset, *record.sub_sequence) : offset;
  }
  /// The only failure, as "TYPE|CODE|MESSAGE".
  std::string Failure() const {
    REQUIRE(batch.failures.size() == 1);
    CHECK(batch.records.empty());
    CHECK(batch.filtered == 0);
    const ProcessingFailure& failure = batch.failures[0];
    CHECK(failure.attempts == 1);
    CHECK(failure.lambda_arn.empty());
    return fmt::format("{}|{}|{}", failure.error_type, failure.code, failure.message);
  }
};

TEST_CASE("Decompression Process: gzip of one member, of several, of nothing", "[delivery]") {
  const Processed done({At(0, Gzip("one")), At(1, Gzip("two") + Gzip("") + Gzip("three")), At(2, Gzip(""))},
                       One(Decompression()));
  CHECK(done.Values() == Strings{"one", "twothree", ""});
  CHECK(done.Places() == Strings{"0", "1", "2"});
  CHECK(done.batch.records[1].source == Gzip("two") + Gzip("") + Gzip("three"));
  CHECK(done.batch.records[1].record.key == "key");
  CHECK(done.batch.failures.empty());
}

TEST_CASE("Decompression Process: what is no gzip data fails with its own bytes, the others go on", "[delivery]") {
  const std::string good = Gzip("good");
  std::string changed = good;
  changed[good.size() - 5] = static_cast<char>(changed[good.size() - 5] ^ 1);  // in the checksum
  const auto [bad, message] = GENERATE_COPY(table<std::string, std::string>({
      {"", "gzip data is damaged: it ends early"},
      {"{}", "gzip data is damaged: incorrect header check"},
      {good.substr(0, good.size() - 1), "gzip data is damaged: it ends early"},
      {good + "x", "gzip data is damaged: "},
      {changed, "gzip data is damaged: incorrect data check"},
  }));
  WorkBatch batch;
  for (const std::string& value : {good, bad, good}) batch.Add(At(batch.records.size(), value));
  REQUIRE(Decompression()->Process(batch).ok());
  REQUIRE(batch.failures.size() == 1);
  const ProcessingFailure& failure = batch.failures[0];
  CHECK(failure.error_type == kDecompressionFailed);
  CHECK(failure.code == "Decompression failed.");
  CHECK(failure.message.starts_with(message));
  CHECK(failure.record.value == bad);
  CHECK(failure.record.offset == Offset(1));
  REQUIRE(batch.records.size() == 2);
  CHECK(batch.records[1].record.offset == Offset(2));
  CHECK(batch.records[1].record.value == "good");
}

TEST_CASE("Decompression Process: 64 MiB of one record and no more", "[delivery]") {
  const std::string zeros(64u << 20, '0');
  const std::string full = Gzip(zeros);
  const Processed taken(full, Decompression());
  REQUIRE(taken.batch.records.size() == 1);
  CHECK(taken.batch.records[0].record.value.size() == zeros.size());
  const Processed bomb(full + Gzip("0"), Decompression());
  CHECK(bomb.Failure() == "decompression-failed|Decompression failed.|decompressed data would exceed 67108864 bytes");
}

TEST_CASE("CloudWatchLogProcessing Process: a record for each message", "[delivery]") {
  const std::string document = R"({"messageType":"DATA_MESSAGE","logEvents":[{"message":"plain"},)"
                               R"({"timestamp":1,"message":"a \"quoted\" \u00e9\n","id":"3"},{"message":""}]})";
  const Processed done(document, CloudWatch());
  CHECK(done.Values() == Strings{"plain", "a \"quoted\" \u00e9\n", ""});
  CHECK(done.Places() == Strings{"0.0", "0.1", "0.2"});
  CHECK(done.batch.records[1].source == done.batch.records[1].record.value);
  CHECK(done.batch.records[1].record.append_time_ms == 77);
}

TEST_CASE("CloudWatchLogProcessing Process: one message keeps the bytes that were put", "[delivery]") {
  const std::string document = LogDocument({"only"});
  const Processed done(document, CloudWatch());
  CHECK(done.Values() == Strings{"only"});
  CHECK(done.Places() == Strings{"0"});
  CHECK(done.batch.records[0].source == document);
}

TEST_CASE("CloudWatchLogProcessing Process: control messages and documents without events are filtered", "[delivery]") {
  const std::string document = GENERATE(LogDocument({"CWL CONTROL MESSAGE: Checking health"}, "CONTROL_MESSAGE"),
                                        R"({"messageType":"CONTROL_MESSAGE"})", LogDocument({}));
  const Processed done(document, CloudWatch());
  CHECK(done.batch.records.empty());
  CHECK(done.batch.failures.empty());
  CHECK(done.batch.filtered == 1);
}

TEST_CASE("CloudWatchLogProcessing Process: what is no such document fails as a whole", "[delivery]") {
  constexpr std::string_view kNone =
      "processing-failed|CloudWatchLogProcessing.MalformedData|The record is no document of a CloudWatch Logs "
      "subscription: ";
  const auto [document, message] = GENERATE_COPY(table<std::string, std::string>({
      {"[]", fmt::format("{}it is not a JSON object.", kNone)},
      {"7", fmt::format("{}it is not a JSON object.", kNone)},
      {"{}", fmt::format("{}it has no messageType.", kNone)},
      {R"({"messageType":1})", fmt::format("{}it has no messageType.", kNone)},
      {R"({"messageType":"OTHER"})",
       fmt::format("{}its messageType is 'OTHER', neither DATA_MESSAGE nor CONTROL_MESSAGE.", kNone)},
      {R"({"messageType":"DATA_MESSAGE"})", fmt::format("{}it has no list of logEvents.", kNone)},
      {R"({"messageType":"DATA_MESSAGE","logEvents":{}})", fmt::format("{}it has no list of logEvents.", kNone)},
      {R"({"messageType":"DATA_MESSAGE","logEvents":[{"message":"a"},{}]})",
       fmt::format("{}there is no text 'message' in logEvents[1].", kNone)},
      {R"({"messageType":"DATA_MESSAGE","logEvents":[7]})",
       fmt::format("{}there is no text 'message' in logEvents[0].", kNone)},
      {R"({"messageType":"DATA_MESSAGE","logEvents":[{"message":{}}]})",
       fmt::format("{}there is no text 'message' in logEvents[0].", kNone)},
  }));
  const Processed done(document, CloudWatch());
  CHECK(done.Failure() == message);
  CHECK(done.batch.failures[0].record.value == document);
}

TEST_CASE("CloudWatchLogProcessing Process: broken JSON", "[delivery]") {
  const std::string document = GENERATE("", " ", "{", "no json", "{}{}", "{\"messageType\":\"\xff\"}",
                                        R"({"messageType":"DATA_MESSAGE","logEvents":[})");
  const Processed done(document, CloudWatch());
  CHECK(
      done.Failure().starts_with("processing-failed|CloudWatchLogProcessing.ParseError|Encountered malformed JSON. "));
}

TEST_CASE("CloudWatchLogProcessing Process: without extraction a document passes as it is", "[delivery]") {
  const std::string document = LogDocument({"a", "b"}, GENERATE("DATA_MESSAGE", "CONTROL_MESSAGE"));
  const Processed done(document, Make("CloudWatchLogProcessing", {{"DataMessageExtraction", "false"}}));
  CHECK(done.Values() == Strings{document});
  CHECK(done.Places() == Strings{"0"});
}

TEST_CASE("RecordDeAggregation Process: JSON objects one behind the other", "[delivery]") {
  const auto [value, values] = GENERATE(table<std::string, Strings>({
      {R"({"a":1}{"a":2})", {R"({"a":1})", R"({"a":2})"}},
      {"{\"a\":1}\n{\"a\":2}\n", {R"({"a":1})", R"({"a":2})"}},
      {" \t{\"a\":\"}{\"} \r\n {\"a\":[{}]}{} ", {R"({"a":"}{"})", R"({"a":[{}]})", "{}"}},
      {"{\"a\" :\n1}", {"{\"a\" :\n1}"}},
  }));
  const Processed done(value, Json());
  CHECK(done.Values() == values);
  CHECK(done.batch.failures.empty());
  CHECK(done.batch.records.back().source == (values.size() == 1 ? value : values.back()));
  if (values.size() == 1) CHECK(done.Places() == Strings{"0"});
  if (values.size() == 3) CHECK(done.Places() == Strings{"0.0", "0.1", "0.2"});
}

TEST_CASE("RecordDeAggregation Process: what is no JSON objects fails as a whole", "[delivery]") {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  const auto [value, message] = GENERATE_COPY(table<std::string, std::string>({
      {R"([{"a":1},{"a":2}])",
       "MalformedData|Expected JSON objects one behind the other; at byte 0 there is an array."},
      {R"({"a":1} 7)", "MalformedData|Expected JSON objects one behind the other; at byte 8 there is a primitive."},
      {R"("text")", "MalformedData|Expected JSON objects one behind the other; at byte 0 there is a primitive."},
      {R"({"a":1},{"a":2})", "ParseError|Encountered malformed JSON. The value at byte 7 is broken or cut off."},
      {R"({"a":1}{"a":)", "ParseError|Encountered malformed JSON. The value at byte 7 is broken or cut off."},
      {"no json", "ParseError|Encountered malformed JSON. The value at byte 0 is broken or cut off."},
      {R"({"a":)" + deep + "}",
       "ParseError|Encountered malformed JSON. The value at byte 0 is nested deeper than 64 levels."},
  }));
  const Processed done(value, Json());
  CHECK(done.Failure() == "processing-failed|RecordDeAggregation." + message);
  CHECK(done.batch.failures[0].record.value == value);
}

TEST_CASE("RecordDeAggregation Process: parts behind and between delimiters", "[delivery]") {
  const auto [delimiter, value, values] = GENERATE(table<std::string, std::string, Strings>({
      {"\n", "a\nb\n", {"a", "b"}},
      {"\n", "a\nb", {"a", "b"}},
      {"\n", "a\n\nb\n\n", {"a", "", "b", ""}},
      {"\n", "\n", {""}},
      {"####", "a#b####c###", {"a#b", "c###"}},
      {"####", "####a", {"", "a"}},
      {"x", "no delimiter", {"no delimiter"}},
  }));
  const Processed done(value, Delimited(delimiter));
  CHECK(done.Values() == values);
  CHECK(done.batch.failures.empty());
  CHECK(done.batch.filtered == 0);
}

TEST_CASE("RecordDeAggregation Process: a record of nothing is filtered", "[delivery]") {
  CHECK(Processed("", Json()).batch.filtered == 1);
  CHECK(Processed(" \n", Json()).batch.filtered == 1);
  CHECK(Processed("", Delimited("\n")).batch.filtered == 1);
}

TEST_CASE("Processor Process: one record is split into 10,000 at most", "[delivery]") {
  const auto repeat = [](std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
  };
  CHECK(Processed(repeat("{}", kPartsMax), Json()).batch.records.size() == kPartsMax);
  CHECK(Processed(repeat("{}", kPartsMax + 1), Json()).Failure() ==
        "processing-failed|RecordDeAggregation.MalformedData|The record holds more than 10000 records.");
  CHECK(Processed(repeat("a,", kPartsMax), Delimited(",")).batch.records.size() == kPartsMax);
  CHECK(Processed(repeat("a,", kPartsMax) + "a", Delimited(",")).batch.failures.size() == 1);
  CHECK(Processed(LogDocument(Strings(kPartsMax, "m")), CloudWatch()).batch.records.size() == kPartsMax);
  CHECK(Processed(LogDocument(Strings(kPartsMax + 1, "m")), CloudWatch()).batch.failures.size() == 1);
}

TEST_CASE("AddParts: no two parts of a record of the log have the same place, however often it is split",
          "[delivery]") {
  std::vector<std::unique_ptr<Processor>> all;
  all.push_back(Decompression());
  all.push_back(CloudWatch());
  all.push_back(Json());
  const std::string twice = Gzip(LogDocument({"{}{}{}", "broken", "{}", "{}{}"}));
  const std::string once = Gzip(LogDocument({"{}{}"}));
  // Record 4 is an aggregate of two; record 5 stands for itself; record 6 becomes one record.
  const Processed done({At(4, twice, 0), At(4, once, 1), At(5, twice), At(6, Gzip(LogDocument({"{}"})))}, all);
  CHECK(done.Places() == Strings{"4.0", "4.5", "4.6", "4.3", "4.4", "4.7", "4.1", "4.8",  //
                                 "5.0", "5.4", "5.5", "5.2", "5.3", "5.6", "6"});
  REQUIRE(done.batch.failures.size() == 2);
  CHECK(Processed::Place(done.batch.failures[0].record) == "4.2");
  CHECK(Processed::Place(done.batch.failures[1].record) == "5.1");
  CHECK(done.batch.failures[0].record.value == "broken");
  CHECK(done.batch.records.back().source == Gzip(LogDocument({"{}"})));
}

TEST_CASE("ProcessorKinds: in Firehose's order, and found under other spellings", "[delivery]") {
  Strings types;
  for (const ProcessorKind& kind : ProcessorKinds()) types.emplace_back(kind.type);
  REQUIRE(types.size() >= 3);
  types.resize(3);
  CHECK(types == Strings{"Decompression", "CloudWatchLogProcessing", "RecordDeAggregation"});
  CHECK(FindProcessorKind("record-deaggregation")->type == "RecordDeAggregation");
  CHECK(FindProcessorKind("AppendDelimiterToRecord") == nullptr);
}

TEST_CASE("ProcessorKind make: parameters that cannot be, in Firehose's words", "[delivery]") {
  CHECK(Wrong("Decompression", {{"CompressionFormat", "Snappy"}}) == "CompressionFormat has to be one of GZIP");
  CHECK(TryMake("Decompression", {{"CompressionFormat", "GZIP"}}).has_value());
  CHECK(Wrong("CloudWatchLogProcessing", {}) == "DataMessageExtraction has to be one of true, false");
  CHECK(Wrong("CloudWatchLogProcessing", {{"DataMessageExtraction", "yes"}}) ==
        "DataMessageExtraction has to be one of true, false");
  const std::string types = "SubRecordType has to be one of JSON, DELIMITED";
  CHECK(Wrong("RecordDeAggregation", {}) == types);
  CHECK(Wrong("RecordDeAggregation", {{"SubRecordType", "CSV"}}) == types);
  CHECK(Wrong("RecordDeAggregation", {{"SubRecordType", "DELIMITED"}}) == "Delimiter should be present for DELIMITED");
  CHECK(Wrong("RecordDeAggregation", {{"SubRecordType", "DELIMITED"}, {"Delimiter", ""}}) ==
        "Delimiter should be present for DELIMITED");
  CHECK(Wrong("RecordDeAggregation", {{"SubRecordType", "DELIMITED"}, {"Delimiter", "\\n"}}) ==
        "Delimiter '\\n' is not base64; that of a line break is Cg==");
}

TEST_CASE("CheckNeeds: CloudWatchLogProcessing needs Decompression", "[delivery]") {
  const ProcessorKind& kind = *FindProcessorKind("CloudWatchLogProcessing");
  const std::vector<std::string_view> alone = {"CloudWatchLogProcessing"};
  const std::vector<std::string_view> both = {"CloudWatchLogProcessing", "Decompression"};
  CHECK(CheckNeeds(kind, both).ok());
  CHECK(CheckNeeds(kind, alone).message() ==
        "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor");
}

}  // namespace
}  // namespace sluice::delivery
