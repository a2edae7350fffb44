// PutMetricData in each of its forms, and the scrape.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <vector>

#include "broker/api/cloudwatch/cloudwatch_service.h"
#include "storage/env/memory_env.h"
#include "tests/broker/kinesis/kinesis_fixture.h"
#include "tests/catch.h"

namespace sluice::broker::cloudwatch {
namespace {

class World {
 public:
  explicit World(const MetricLimits& limits = {}) : limits_(limits) {}
  ~World() { loops_.Stop(); }

  /// "" or the error's message.
  std::string Put(std::string json) {
    const aws::Operation& operation = service_.operations.front();
    const aws::Caller caller{.account = "000000000000", .region = "us-east-1", .access_key = "test"};
    const auto call =
        std::make_shared<kinesis::FakeCall>(protocol::aws::Encoding::kJson, std::move(json), caller, loops_.loop(0));
    auto wrong = protocol::aws::CheckTypes(call->input(), operation.input());
    if (!wrong) wrong = protocol::aws::CheckConstraints(call->input(), operation.input());
    if (wrong) return wrong->message;
    operation.run(call);
    const kinesis::Reply reply = call->Wait().first;
    CHECK(reply.body.empty());
    return reply.message();
  }
  /// One metric with these members.
  std::string PutOne(std::string_view members) {
    return Put(R"({"Namespace":"app","MetricData":[{"MetricName":"Time",)" + std::string(members) + "}]}");
  }
  /// What /metrics has for `name`: everything behind it in its lines.
  std::vector<std::string> Scrape(std::string_view name) const {
    std::vector<prometheus::MetricFamily> families;
    MetricSink sink(families);
    metrics_.Collect(sink);
    const std::string text = prometheus::TextSerializer().Serialize(families);
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      const std::string line = text.substr(at, end - at);
      if (line.starts_with(std::string(name) + "{") || line.starts_with(std::string(name) + " ")) {
        lines.push_back(line.substr(name.size()));
      }
      at = end + 1;
    }
    return lines;
  }
  storage::ManualClock& clock() { return env_.manual_clock(); }

 private:
  const MetricLimits limits_;
  storage::MemoryEnv env_{1};
  EventLoops loops_{1};
  MetricTable metrics_{env_.clock(), limits_};
  aws::Service service_ = CloudwatchService(metrics_);
};

using Lines = std::vector<std::string>;

TEST_CASE("PutMetricData: values, sets of statistics, and values with counts", "[cloudwatch]") {
  World world;
  CHECK(world.PutOne(R"("Value":2.5,"Unit":"Seconds")") == "");
  CHECK(world.PutOne(R"("Unit":"Seconds","StatisticValues":{"SampleCount":3,"Sum":9,"Minimum":1,"Maximum":5})") == "");
  CHECK(world.PutOne(R"("Unit":"Seconds","Values":[4,6],"Counts":[1,2])") == "");
  const std::string labels = R"({namespace="app",metric="Time",unit="Seconds"} )";
  CHECK(world.Scrape("sluice_cloudwatch_samples_total") == Lines{labels + "7"});
  CHECK(world.Scrape("sluice_cloudwatch_sum") == Lines{labels + "27.5"});
  CHECK(world.Scrape("sluice_cloudwatch_minimum") == Lines{labels + "4"});
  CHECK(world.Scrape("sluice_cloudwatch_maximum") == Lines{labels + "6"});
  CHECK(world.Scrape("sluice_cloudwatch_values_total") == Lines{" 3"});
}

TEST_CASE("PutMetricData: numbers that are text, as forms have them", "[cloudwatch]") {
  World world;
  CHECK(world.PutOne(R"("Value":"1e3")") == "");
  CHECK(world.Scrape("sluice_cloudwatch_sum") == Lines{R"({namespace="app",metric="Time",unit="None"} 1000)"});
}

TEST_CASE("PutMetricData: dimensions are labels, each name once, whatever their order", "[cloudwatch]") {
  World world;
  const std::string b = R"({"Name":"b-1","Value":"x\"y"})";
  const std::string c = R"({"Name":"b.1","Value":"z"})";
  CHECK(world.PutOne(R"("Value":1,"Dimensions":[)" + b + "," + c + "]") == "");
  CHECK(world.PutOne(R"("Value":1,"Dimensions":[)" + c + "," + b + "]") == "");
  CHECK(world.Scrape("sluice_cloudwatch_sum") ==
        Lines{R"({namespace="app",metric="Time",unit="None",dimension_b_1="x\"y",dimension_b_1_2="z"} 2)"});
}

TEST_CASE("PutMetricData: a request that is not right in all of it is not taken", "[cloudwatch]") {
  World world;
  const std::string good = R"({"MetricName":"a","Value":1},)";
  const auto put = [&](std::string_view bad) {
    return world.Put(R"({"Namespace":"app","MetricData":[)" + good + std::string(bad) + "]}");
  };
  CHECK(put(R"({"MetricName":"b"})").contains("At least one of the parameters"));
  CHECK(put(R"({"MetricName":"b","Value":"many"})").contains("is no number"));
  CHECK(put(R"({"MetricName":"b","Value":true})").contains("is no number"));
  CHECK(put(R"({"MetricName":"b","Value":"inf"})").contains("is no number"));
  CHECK(put(R"({"MetricName":"b","Values":[1,2],"Counts":[1]})").contains("of the same size"));
  CHECK(put(R"({"MetricName":"b","Values":[1],"Counts":[-1]})").contains("is negative"));
  CHECK(put(R"({"MetricName":"b","Values":[1e308,1e308]})").contains("no finite number"));
  CHECK(put(R"({"Value":1})").contains("'metricData.2.member.metricName'"));
  CHECK(put(R"({"MetricName":"b","Value":1,"Dimensions":[{"Name":"","Value":"v"}]})")
            .contains("greater than or equal to 1"));
  CHECK(put(R"({"MetricName":"b","StatisticValues":{"Sum":1}})").contains("sampleCount"));
  CHECK(world.Put(R"({"MetricData":[]})").contains("'namespace'"));
  CHECK(world.Scrape("sluice_cloudwatch_values_total") == Lines{" 0"});
}

TEST_CASE("MetricTable: bounds; what has been silent for an hour makes room", "[cloudwatch]") {
  World world({.series_max = 2, .name_bytes_max = 1'000, .silent_ms = 1'000});
  const auto put = [&](std::string_view name) {
    CHECK(world.Put(R"({"Namespace":"app","MetricData":[{"MetricName":")" + std::string(name) + R"(","Value":1}]})") ==
          "");
  };
  put("a");
  put("b");
  put("c");
  CHECK(world.Scrape("sluice_cloudwatch_dropped_total") == Lines{" 1"});
  CHECK(world.Scrape("sluice_cloudwatch_series") == Lines{" 2"});
  world.clock().AdvanceMs(999);
  put("b");
  world.clock().AdvanceMs(1);
  put("c");
  CHECK(world.Scrape("sluice_cloudwatch_dropped_total") == Lines{" 1"});
  CHECK(world.Scrape("sluice_cloudwatch_sum") ==
        Lines{R"({namespace="app",metric="b",unit="None"} 2)", R"({namespace="app",metric="c",unit="None"} 1)"});
}

TEST_CASE("MetricTable: the memory of names is bounded", "[cloudwatch]") {
  World world({.series_max = 100, .name_bytes_max = 600, .silent_ms = 1'000});
  for (char c = 'a'; c < 'd'; ++c) {
    CHECK(world.Put(R"({"Namespace":"app","MetricData":[{"MetricName":")" + std::string(200, c) +
                    R"(","Value":1}]})") == "");
  }
  CHECK(world.Scrape("sluice_cloudwatch_series") == Lines{" 2"});
  CHECK(world.Scrape("sluice_cloudwatch_dropped_total") == Lines{" 1"});
}

}  // namespace
}  // namespace sluice::broker::cloudwatch
