// The processor Lambda in the API: what is taken, how it is told, what is refused.
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

/// A destination with a Lambda; each parameter is "Name=value".
std::string Lambda(const std::vector<std::string>& parameters) {
  std::string list;
  for (const std::string& parameter : parameters) {
    const std::size_t sign = parameter.find('=');
    list += fmt::format(R"({}{{"ParameterName":"{}","ParameterValue":"{}"}})", list.empty() ? "" : ",",
                        parameter.substr(0, sign), parameter.substr(sign + 1));
  }
  return fmt::format(
      R"("ProcessingConfiguration":{{"Enabled":true,"Processors":[{{"Type":"Lambda","Parameters":[{}]}}]}})", list);
}

}  // namespace

TEST_CASE("CreateDeliveryStream: a Lambda is told with all its parameters, in AWS's order", "[firehose]") {
  FirehoseCore core;
  core.Create("d", Lambda({"LambdaArn=http://127.0.0.1:1/f"}));
  const std::string defaults =
      Lambda({"LambdaArn=http://127.0.0.1:1/f", "NumberOfRetries=3", fmt::format("RoleArn={}", kRole),
              "BufferSizeInMBs=1", "BufferIntervalInSeconds=60"});
  CHECK(core.Describe("d").body.contains(defaults));
  core.Create("e", Lambda({"BufferIntervalInSeconds=0", "RoleArn=r", "BufferSizeInMBs=0.5", "NumberOfRetries=0",
                           "LambdaArn=http://127.0.0.1:1/g"}));
  CHECK(core.Describe("e").body.contains(Lambda({"LambdaArn=http://127.0.0.1:1/g", "NumberOfRetries=0", "RoleArn=r",
                                                 "BufferSizeInMBs=0.5", "BufferIntervalInSeconds=0"})));
}

TEST_CASE("CreateDeliveryStream: what a Lambda cannot be", "[firehose]") {
  FirehoseCore core;
  const auto [parameters, message] = GENERATE(table<std::vector<std::string>, std::string>({
      {{}, "LambdaArn is missing"},
      {{"NumberOfRetries=3"}, "LambdaArn is missing"},
      {{"LambdaArn=f"}, "LambdaArn: 'f' is none of arn:aws:lambda:"},
      {{"LambdaArn=http://h", "NumberOfRetries=301"}, "NumberOfRetries: '301' is not 0 to 300"},
      {{"LambdaArn=http://h", "BufferSizeInMBs=4"}, "BufferSizeInMBs: '4' is not 0.2 to 3"},
      {{"LambdaArn=http://h", "Delimiter=x"}, "Lambda has no parameter Delimiter."},
      {{"LambdaArn=http://h", "RoleArn=r", "RoleArn=r"}, "Lambda has the parameter RoleArn twice."},
      {{"LambdaArn=arn:aws:lambda:us-east-1:123456789012:function:f"}, "set delivery.lambda_endpoint to its address"},
      {{"LambdaArn=command:/bin/cat"}, "Set delivery.allow_commands = true to allow that"},
  }));
  const Reply refused = core.TryCreate("d", Lambda(parameters));
  INFO(refused.message());
  CHECK(refused.type() == "InvalidArgumentException");
  CHECK(refused.message().contains(message));
}

TEST_CASE("UpdateDestination: a Lambda comes and goes", "[firehose]") {
  FirehoseCore core;
  core.Create("d");
  CHECK(!core.Update("d", "1", Lambda({"LambdaArn=http://127.0.0.1:1/f"})).error);
  CHECK(core.DescribedAt("d", "VersionId") == "2");
  CHECK(core.Describe("d").body.contains("BufferIntervalInSeconds"));
  CHECK(core.Update("d", "2", Lambda({"LambdaArn=command:/bin/cat"})).type() == "InvalidArgumentException");
  CHECK(!core.Update("d", "2", R"("ProcessingConfiguration":{"Enabled":false})").error);
  CHECK(!core.Describe("d").body.contains("Lambda"));
}

}  // namespace sluice::broker::firehose
