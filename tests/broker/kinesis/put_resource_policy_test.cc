// PutResourcePolicy: which policies are taken, and whom they let in and keep out. Get and Delete with it.
#include "tests/broker/kinesis/kinesis_fixture.h"

namespace sluice::broker::kinesis {
namespace {

const std::string kArn = "arn:aws:kinesis:us-east-1:000000000000:stream/orders";
const aws::Caller kGuest{.account = "111111111111", .region = "us-east-1", .access_key = "AKIAGUEST"};

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Reply PutPolicy(KinesisCore& core, std::string_view policy) {
  return core.Run("PutResourcePolicy", R"({"ResourceARN":")" + kArn + R"(","Policy":")" + Escaped(policy) + "\"}");
}

std::string Statement(std::string_view effect, std::string_view principal, std::string_view action) {
  return R"({"Effect":")" + std::string(effect) + R"(","Principal":)" + std::string(principal) + R"(,"Action":)" +
         std::string(action) + R"(,"Resource":")" + kArn + "\"}";
}

Reply Set(KinesisCore& core, const std::string& statements) {
  Reply reply = PutPolicy(core, R"({"Version":"2012-10-17","Statement":[)" + statements + "]}");
  INFO(reply.message());
  REQUIRE(!reply.error);
  return reply;
}

Reply PutAs(KinesisCore& core, const aws::Caller& caller, std::string_view stream = R"("StreamARN":)") {
  const std::string named = stream == R"("StreamARN":)" ? std::string(stream) + '"' + kArn + '"' : std::string(stream);
  return core.RunAs(caller, "PutRecord", "{" + named + R"(,"PartitionKey":"k","Data":""})");
}

TEST_CASE("PutResourcePolicy: kept without white space, told, deleted", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const std::string resource = R"({"ResourceARN":")" + kArn + "\"}";
  const auto policy = [&] { return core.MustRun("GetResourcePolicy", resource).At("Policy"); };
  CHECK(policy() == "{}");
  CHECK(core.Run("DeleteResourcePolicy", resource).error ==
        ApiError("ResourceNotFoundException", "No resource policy found for resource ARN " + kArn + "."));
  const std::string compact = R"({"Version":"2012-10-17","Statement":[)" +
                              Statement("Allow", R"({"AWS":"111111111111"})", R"(["kinesis:Put*"])") + "]}";
  CHECK(core.Run("PutResourcePolicy", R"({"ResourceARN":")" + kArn + R"(","Policy":" )" + Escaped(compact) + " \"}")
            .body.empty());
  core.Restart();
  CHECK(policy() == compact);
  CHECK(core.MustRun("DeleteResourcePolicy", resource).body.empty());
  CHECK(policy() == "{}");
}

TEST_CASE("PutResourcePolicy: what is no policy", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  CHECK(PutPolicy(core, "{}").type() == "ResourceNotFoundException");
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto refused = [&](std::string_view policy, std::string_view why) {
    CHECK(PutPolicy(core, policy).error ==
          ApiError("InvalidArgumentException", "Policy validation error: " + std::string(why)));
  };
  refused("{", "This policy contains invalid Json");
  refused("[]", "This policy contains invalid Json");
  refused("{}", "the policy has no Statement");
  refused(R"({"Statement":["x"]})", "a Statement is an object");
  refused(R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"*"}})", "a Statement has no Resource");
  refused(R"({"Statement":)" + Statement("Maybe", R"("*")", R"("*")") + "}", "Effect is neither Allow nor Deny");
  refused(R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*:stream/other"}})",
          "a Resource does not name " + kArn);
  refused(R"({"Statement":{"Condition":{},"Effect":"Allow"}})",
          "Condition is not supported here, as it would not be enforced");
  refused(R"({"Id":[null],"Statement":)" + Statement("Allow", R"("*")", R"("*")") + "}", "null is no part of a policy");
  refused(std::string(20'481, ' '), "the policy has 20481 bytes, and may have 20480");
}

TEST_CASE("PutResourcePolicy: lets another account in by ARN", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const std::string denied =
      "User: arn:aws:iam::111111111111:user/AKIAGUEST is not authorized to perform: kinesis:PutRecord on resource: " +
      kArn + " because no resource-based policy allows the kinesis:PutRecord action";
  CHECK(PutAs(core, kGuest).error == ApiError("AccessDeniedException", denied));
  CHECK(PutAs(core, {.account = kGuest.account, .region = kGuest.region, .access_key = ""},
              R"("StreamARN":"arn:aws:kinesis:us-east-1:999999999999:stream/orders")")
            .error == ApiError("UnrecognizedClientException", "No account found for the given parameters"));
  const std::string principal = GENERATE(R"("*")", R"({"AWS":"*"})", R"({"AWS":"111111111111"})",
                                         R"({"AWS":["222222222222","arn:aws:iam::111111111111:root"]})",
                                         R"({"AWS":"arn:aws:iam::111111111111:user/AKIAGUEST"})");
  const std::string action = GENERATE(R"("*")", R"("kinesis:put?ecord")", R"(["kinesis:GetRecords","kinesis:Put*"])");
  Set(core, Statement("Allow", principal, action));
  CHECK(!PutAs(core, kGuest).error);
  Set(core, Statement("Allow", R"({"AWS":"222222222222","Service":"111111111111"})", R"("*")") + "," +
                Statement("Allow", R"({"AWS":"arn:aws:iam::111111111111:user/AKIAOTHER"})", R"("*")") + "," +
                Statement("Allow", R"("*")", R"(["kinesis:PutRecords","kinesis:PutRecord?","s3:*"])"));
  CHECK(PutAs(core, kGuest).error == ApiError("AccessDeniedException", denied));
  CHECK(!PutAs(core, core.caller).error);
}

TEST_CASE("PutResourcePolicy: denies, however the stream is named", "[kinesis]") {
  KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const std::string iterator = core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")");
  Set(core, Statement("Allow", R"("*")", R"("*")") + "," +
                Statement("Deny", R"({"AWS":"arn:aws:iam::111111111111:user/AKIAGUEST"})",
                          R"(["kinesis:PutRecord","kinesis:GetRecords"])"));
  CHECK(PutAs(core, kGuest, R"("StreamName":"orders")").error ==
        ApiError("AccessDeniedException",
                 "User: arn:aws:iam::111111111111:user/AKIAGUEST is not authorized to perform: kinesis:PutRecord on "
                 "resource: arn:aws:kinesis:us-east-1:111111111111:stream/orders with an explicit deny in a "
                 "resource-based policy"));
  CHECK(PutAs(core, kGuest).type() == "AccessDeniedException");
  CHECK(core.RunAs(kGuest, "GetRecords", R"({"ShardIterator":")" + iterator + "\"}").type() == "AccessDeniedException");
  CHECK(!core.RunAs(core.caller, "GetRecords", R"({"ShardIterator":")" + iterator + "\"}").error);
  aws::Caller colleague = kGuest;
  colleague.access_key = "AKIAOTHER";
  CHECK(!PutAs(core, colleague).error);
}

TEST_CASE("PutResourcePolicy: every operation on records asks it", "[kinesis]") {
  KinesisCore core;
  core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
  const auto [operation, rest] = GENERATE(table<std::string, std::string>({
      {"PutRecord", R"("PartitionKey":"k","Data":"")"},
      {"PutRecords", R"("Records":[{"PartitionKey":"k","Data":""}])"},
      {"GetShardIterator", R"("ShardId":"0","ShardIteratorType":"LATEST")"},
      {"GetRecords", R"("Limit":1,"ShardIterator":)"},
      {"ListShards", R"("MaxResults":1)"},
      {"DescribeStream", R"("Limit":1)"},
      {"DescribeStreamSummary", R"("StreamId":"x")"},
  }));
  const std::string iterator = '"' + core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")") + '"';
  const std::string json =
      R"({"StreamARN":")" + kArn + R"(",)" + rest + (operation == "GetRecords" ? iterator : "") + "}";
  const auto run = [&] { return core.RunAs(kGuest, operation, json); };
  CHECK(run().type() == "AccessDeniedException");
  Set(core, Statement("Allow", R"({"AWS":"111111111111"})", R"("kinesis:)" + operation + '"'));
  const Reply reply = run();
  CHECK(reply.type().empty());
  if (operation.starts_with("Describe")) CHECK(reply.body.contains(kArn));
  CHECK(core.RunAs(kGuest, "DeleteStream", R"({"StreamARN":")" + kArn + "\"}").type() == "UnrecognizedClientException");
}

}  // namespace
}  // namespace sluice::broker::kinesis
