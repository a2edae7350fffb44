// PutResourcePolicy: which policies are taken, and whom they let in and keep out.
#include "tests/broker/kinesis/resource_policy_fixture.h"

namespace sluice::broker::kinesis {
namespace {

Reply PutAs(KinesisCore& core, const aws::Caller& caller, std::string_view stream = R"("StreamARN":)") {
  const std::string named =
      stream == R"("StreamARN":)" ? std::string(stream) + '"' + kOrders + '"' : std::string(stream);
  return core.RunAs(caller, "PutRecord", "{" + named + R"(,"PartitionKey":"k","Data":""})");
}

/// A consumer of another account: what it is told of a subscription, or of its description.
std::string UseAsGuest(ConsumersCore& core, std::string_view operation, std::string_view arn) {
  const std::string position = R"(,"ShardId":"0","StartingPosition":{"Type":"LATEST"})";
  const Reply reply = core.RunAs(
      kGuest, operation,
      fmt::format(R"({{"ConsumerARN":"{}"{}}})", arn, operation == "SubscribeToShard" ? position : std::string()));
  return reply.type();
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
          "a Resource does not name " + kOrders);
  refused(R"({"Statement":{"Condition":{},"Effect":"Allow"}})",
          "Condition is not supported here, as it would not be enforced");
  refused(R"({"Id":[null],"Statement":)" + Statement("Allow", R"("*")", R"("*")") + "}", "null is no part of a policy");
  refused(std::string(20'481, ' '), "the policy has 20481 bytes, and may have 20480");
}

TEST_CASE("PutResourcePolicy: lets another account in by ARN", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string denied =
      "User: arn:aws:iam::111111111111:user/AKIAGUEST is not authorized to perform: kinesis:PutRecord on resource: " +
      kOrders + " because no resource-based policy allows the kinesis:PutRecord action";
  CHECK(PutAs(core, kGuest).error == ApiError("AccessDeniedException", denied));
  CHECK(PutAs(core, {.account = kGuest.account, .region = kGuest.region, .access_key = ""},
              R"("StreamARN":"arn:aws:kinesis:us-east-1:999999999999:stream/orders")")
            .error == ApiError("UnrecognizedClientException", "No account found for the given parameters"));
  const std::string principal = GENERATE(R"("*")", R"({"AWS":"*"})", R"({"AWS":"111111111111"})",
                                         R"({"AWS":["222222222222","arn:aws:iam::111111111111:root"]})",
                                         R"({"AWS":"arn:aws:iam::111111111111:user/AKIAGUEST"})");
  const std::string action = GENERATE(R"("*")", R"("kinesis:put?ecord")", R"(["kinesis:GetRecords","kinesis:Put*"])");
  SetPolicy(core, Statement("Allow", principal, action));
  CHECK(!PutAs(core, kGuest).error);
  SetPolicy(core, Statement("Allow", R"({"AWS":"222222222222","Service":"111111111111"})", R"("*")") + "," +
                      Statement("Allow", R"({"AWS":"arn:aws:iam::111111111111:user/AKIAOTHER"})", R"("*")") + "," +
                      Statement("Allow", R"("*")", R"(["kinesis:PutRecords","kinesis:PutRecord?","s3:*"])"));
  CHECK(PutAs(core, kGuest).error == ApiError("AccessDeniedException", denied));
  CHECK(!PutAs(core, core.caller).error);
}

TEST_CASE("PutResourcePolicy: denies, however the stream is named", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string iterator = core.Iterator(R"("ShardIteratorType":"TRIM_HORIZON")");
  SetPolicy(core, Statement("Allow", R"("*")", R"("*")") + "," +
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
  ConsumersCore core;
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
      R"({"StreamARN":")" + kOrders + R"(",)" + rest + (operation == "GetRecords" ? iterator : "") + "}";
  const auto run = [&] { return core.RunAs(kGuest, operation, json); };
  CHECK(run().type() == "AccessDeniedException");
  SetPolicy(core, Statement("Allow", R"({"AWS":"111111111111"})", R"("kinesis:)" + operation + '"'));
  const Reply reply = run();
  CHECK(reply.type().empty());
  if (operation.starts_with("Describe")) CHECK(reply.body.contains(kOrders));
  CHECK(core.RunAs(kGuest, "DeleteStream", R"({"StreamARN":")" + kOrders + "\"}").type() ==
        "UnrecognizedClientException");
}

TEST_CASE("PutResourcePolicy: of a consumer, lets another account in by ARN", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string operation = GENERATE("SubscribeToShard", "DescribeStreamConsumer");
  const std::string arn = core.Arn("a");
  const std::string other = core.Arn("b");
  CHECK(UseAsGuest(core, operation, arn) == "AccessDeniedException");
  SetPolicy(core, Statement("Allow", R"({"AWS":"111111111111"})", R"("kinesis:)" + operation + '"', arn), arn);
  CHECK(UseAsGuest(core, operation, arn).empty());
  CHECK(UseAsGuest(core, operation, other) == "AccessDeniedException");
  CHECK(UseAsGuest(core, operation == "SubscribeToShard" ? "DescribeStreamConsumer" : "SubscribeToShard", arn) ==
        "AccessDeniedException");
  CHECK(core.RunAs(kGuest, "DeregisterStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", arn)).type() ==
        "UnrecognizedClientException");
  core.MustRun("DeregisterStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", arn));
  CHECK(UseAsGuest(core, operation, arn) == "AccessDeniedException");  // nobody learns that it is gone
}

TEST_CASE("PutResourcePolicy: of a stream, lets another account use its consumers", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string operation = GENERATE("SubscribeToShard", "DescribeStreamConsumer");
  const std::string arn = core.Arn("a");
  SetPolicy(core, Statement("Allow", R"("*")", R"("kinesis:)" + operation + '"'));
  CHECK(UseAsGuest(core, operation, arn).empty());
  SetPolicy(core, Statement("Deny", R"({"AWS":"111111111111"})", R"("kinesis:*")", arn), arn);
  CHECK(UseAsGuest(core, operation, arn) == "AccessDeniedException");
  CHECK(core.RunAs(kGuest, "DescribeStreamConsumer",
                   R"({"ConsumerARN":"arn:aws:kinesis:us-east-1:999999999999:stream/orders/consumer/a:1"})")
            .type() == "UnrecognizedClientException");
}

TEST_CASE("PutResourcePolicy: of a consumer, denies and is told as AWS tells it", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const std::string by_name = fmt::format(R"({{"StreamARN":"{}","ConsumerName":"a"}})", kOrders);
  SetPolicy(core, Statement("Allow", R"("*")", R"("kinesis:Describe*")", arn), arn);
  const Reply described = core.RunAs(kGuest, "DescribeStreamConsumer", by_name);
  CHECK(described.At("ConsumerDescription.ConsumerARN") == arn);  // the owner's account
  CHECK(described.At("ConsumerDescription.StreamARN") == kOrders);
  SetPolicy(core, Statement("Deny", R"("*")", R"("*")", arn), arn);
  CHECK(core.Run("DescribeStreamConsumer", fmt::format(R"({{"ConsumerARN":"{}"}})", arn)).error ==
        ApiError("AccessDeniedException",
                 "User: arn:aws:iam::000000000000:user/test is not authorized to perform: "
                 "kinesis:DescribeStreamConsumer on resource: " +
                     arn + " with an explicit deny in a resource-based policy"));
  CHECK(core.SubscribeAt(arn, R"("Type":"LATEST")").first.type() == "AccessDeniedException");
  CHECK(!core.Run("ListStreamConsumers", fmt::format(R"({{"StreamARN":"{}"}})", kOrders)).error);
}

TEST_CASE("PutResourcePolicy: a consumer's policy names the consumer", "[kinesis]") {
  ConsumersCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
  const std::string arn = core.Arn("a");
  const std::string policy = R"({"Statement":)" + Statement("Allow", R"("*")", R"("*")", kOrders) + "}";
  CHECK(PutPolicy(core, policy, arn).message() == "Policy validation error: a Resource does not name " + arn);
  for (const char* none : {"/consumer/b:1", "/consumer/a:1", "/consumer/a", "/consumer/", "/consumer/:1"}) {
    INFO(none);
    CHECK(PutPolicy(core, policy, kOrders + none).type() == "ResourceNotFoundException");
  }
  CHECK(core.MustRun("GetResourcePolicy", ResourceInput(kOrders)).At("Policy") == "{}");
}

}  // namespace
}  // namespace sluice::broker::kinesis
