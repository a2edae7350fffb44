// Delivery with secrets that are elsewhere: they are read for each request, so one that is replaced counts at once; one
// that is missing holds the delivery up; and nobody stores or tells them.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "broker/delivery/secret_provider.h"
#include "tests/delivery/endpoint_fixture.h"
#include "tests/delivery/managed.h"
#include "tests/delivery/redshift_fixture.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kArn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:key-a1b2c3";

/// A delivery stream with a secret in the folder "/secrets" of its world.
struct SecretWorld : World {
  explicit SecretWorld(DeliveryConfig with) : World(WithSecret(std::move(with)), 1) {
    REQUIRE(env.MakeDirs("/secrets").ok());
    processors.secrets = provider.get();
    Put("one");
  }
  static DeliveryConfig WithSecret(DeliveryConfig config) {
    SecretConfig& secret = config.redshift ? config.redshift->secret : config.endpoint.secret;
    secret = {.enabled = true, .arn = std::string(kArn)};
    return config;
  }
  void Put(const std::string& value) { log.Append(0, value, env.clock().WallMs()); }
  void PutSecret(std::string_view json) { env.WriteByHand("/secrets/key.json", json); }
  void TakeSecret() { REQUIRE(env.Remove("/secrets/key.json").ok()); }

  /// All that is stored and told of it.
  std::string Everything() {
    std::string all = stream->status().last_error;
    for (const auto& [key, value] : *metadata.Scan("")) all += key + value;
    for (const auto& [key, bytes] : Lake()) all += key + bytes;
    return all;
  }

  std::unique_ptr<SecretProvider> provider = NewSecretFiles(env, "/secrets");
};

FakeEndpoint::Answer Acknowledge(const FakeEndpoint::Request& request) {
  const bool ask = request.target.contains("/ack");
  return {.body = ask ? R"({"acks":{"0":true}})" : R"({"text":"Success","code":0,"ackId":0})"};
}

std::vector<std::string> Keys(const FakeEndpoint& server, std::string_view header) {
  std::vector<std::string> keys;
  for (const FakeEndpoint::Request& request : server.Requests()) keys.push_back(request.Header(header));
  return keys;
}

}  // namespace

TEST_CASE("Secrets: an HTTP endpoint gets the key as it is now, and not the configuration's", "[delivery]") {
  FakeEndpoint server(TakeAll);
  DeliveryConfig config = EndpointDeliveryConfig(server.Url());
  config.endpoint.access_key = "old";
  SecretWorld world(config);
  world.PutSecret(R"({"api_key": "c4n4ry-1"})");
  REQUIRE(world.Start().ok());
  REQUIRE(world.Run());
  world.PutSecret(R"({"api_key": "c4n4ry-2"})");
  world.Put("two");
  REQUIRE(world.Run());
  CHECK(Keys(server, "x-amz-firehose-access-key") == std::vector<std::string>{"c4n4ry-1", "c4n4ry-2"});
  CHECK_FALSE(world.Everything().contains("c4n4ry"));
}

TEST_CASE("Secrets: an endpoint that refuses a key gets the next one, and its words are told without", "[delivery]") {
  FakeEndpoint server([](const FakeEndpoint::Request& request) {
    const std::string key = request.Header("x-amz-firehose-access-key");
    const std::string id = ReadEndpointRequest(request.body).id;
    if (key == "c4n4ry-2") return EndpointAnswer(id);
    return EndpointAnswer(id, 403, fmt::format(R"(,"errorMessage":"who is {}?")", key));
  });
  SecretWorld world(EndpointDeliveryConfig(server.Url()));
  world.PutSecret(R"({"api_key": "c4n4ry-1"})");
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("403: who is ***?"));
  CHECK_FALSE(world.Everything().contains("c4n4ry"));
  SECTION("rotated in time") {
    world.PutSecret(R"({"api_key": "c4n4ry-2"})");
    REQUIRE(world.Run());
    CHECK(world.Lake().empty());
    CHECK(world.stream->status().checkpoint.totals.sent == 1);
  }
  SECTION("never") {
    REQUIRE(world.Run());
    CHECK(world.Lake().size() == 1);
    CHECK(world.Everything().contains("who is ***?"));
  }
  CHECK_FALSE(world.Everything().contains("c4n4ry"));
}

TEST_CASE("Secrets: one that cannot be read holds the delivery up, whatever RetryOptions say", "[delivery]") {
  FakeEndpoint server(TakeAll);
  SecretWorld world(EndpointDeliveryConfig(server.Url(), 0));
  std::string said = "there is no file /secrets/key-a1b2c3.json, and no file /secrets/key.json";
  SECTION("missing") {}
  SECTION("malformed") {
    world.PutSecret(R"({"api_key": c4n4ry})");
    said = "/secrets/key.json is no JSON object";
  }
  SECTION("of another destination") {
    world.PutSecret(R"({"hec_token": "c4n4ry"})");
    said = R"(/secrets/key.json has no "api_key"; it has to be {"api_key": ".."})";
  }
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK_FALSE(world.Run(50));  // it is tried again and again
  INFO(world.stream->status().last_error);
  CHECK(world.stream->status().last_error.contains(said));
  CHECK(world.Lake().empty());
  CHECK(server.Requests().empty());
  world.PutSecret(R"({"api_key": "c4n4ry-3"})");
  REQUIRE(world.Run());
  CHECK(world.stream->status().checkpoint.totals.sent == 1);
  CHECK_FALSE(world.Everything().contains("c4n4ry"));
}

TEST_CASE("Secrets: Splunk gets the token with records and with questions", "[delivery]") {
  FakeEndpoint server(Acknowledge);
  DeliveryConfig config = RawConfig();
  config.endpoint = {.type = "Splunk", .url = server.Url()};
  SecretWorld world(config);
  world.PutSecret(R"({"hec_token": "c4n4ry-1"})");
  REQUIRE(world.Start().ok());
  for (int i = 0; i < 400 && server.Requests().empty(); ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  world.TakeSecret();  // it is held up, and the question is asked later
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains("put {\"hec_token\": \"..\"} there"));
  world.PutSecret(R"({"hec_token": "c4n4ry-2"})");
  REQUIRE(world.Run());
  CHECK(Keys(server, "authorization") == std::vector<std::string>{"Splunk c4n4ry-1", "Splunk c4n4ry-2"});
  CHECK_FALSE(world.Everything().contains("c4n4ry"));
}

TEST_CASE("Secrets: a load logs in with the user as it is now, and tells neither name nor password", "[delivery]") {
  FakeCluster cluster;
  DeliveryConfig config = LoadingConfig(cluster.Url());
  config.redshift->username.clear();
  config.redshift->password.clear();
  SecretWorld world(config);
  REQUIRE(world.Start().ok());
  RunUntilFailing(world);
  CHECK(world.stream->status().last_error.contains(R"(put {"username": "..", "password": ".."} there)"));
  CHECK(cluster.connections() == 0);
  const auto user = [](std::string_view password) {
    return fmt::format(R"({{"username": "{}", "password": "{}"}})", FakeCluster::kUser, password);
  };
  world.PutSecret(user("c4n4ry"));
  for (int i = 0; i < 400 && !world.stream->status().last_error.contains("Redshift."); ++i)
    world.env.manual_clock().AdvanceMs(world.stream->Step());
  const std::string error = world.stream->status().last_error;
  INFO(error);
  CHECK(error.contains("Redshift.AuthenticationFailed"));
  CHECK(error.contains("user \"***\""));
  world.PutSecret(user(FakeCluster::kPassword));
  REQUIRE(world.Run());
  CHECK(cluster.Loaded().size() == 1);
  CHECK(world.stream->status().checkpoint.totals.loaded_rows == 1);
  const std::string all = world.Everything();
  for (const std::string_view secret : {std::string_view("c4n4ry"), FakeCluster::kPassword, FakeCluster::kUser})
    CHECK_FALSE(all.contains(secret));
}

TEST_CASE("Secrets: a load that runs goes on when the secret is replaced or taken away", "[delivery]") {
  FakeCluster cluster(Once("COPY", FakeCluster::Does::kHang));
  DeliveryConfig config = LoadingConfig(cluster.Url());
  SecretWorld world(config);
  world.PutSecret(fmt::format(R"({{"username": "{}", "password": "{}"}})", FakeCluster::kUser, FakeCluster::kPassword));
  REQUIRE(world.Start().ok());
  for (int i = 0; i < 1000 && cluster.Count("COPY") == 0; ++i) world.env.manual_clock().AdvanceMs(world.stream->Step());
  REQUIRE(cluster.Count("COPY") == 1);
  world.TakeSecret();
  for (int i = 0; i < 3; ++i) (void)world.stream->Step();
  CHECK(world.stream->status().mode == DeliveryMode::kActive);
  CHECK(cluster.Count("COPY") == 1);
  CHECK(cluster.cancels() == 0);
}

TEST_CASE("DeliveryManager: a secret is looked at when a delivery stream is made, and told by nobody", "[delivery]") {
  FakeEndpoint server(TakeAll);
  Managed managed;
  managed.Start();
  const std::string document = fmt::format(
      R"({{"DeliveryStreamName": "d", "KinesisStreamSourceConfiguration": {{"KinesisStreamARN": "orders"}},
          "HttpEndpointDestinationConfiguration": {{"EndpointConfiguration": {{"Url": "{}"}},
            "SecretsManagerConfiguration": {{"Enabled": true, "SecretARN": "{}"}},
            "S3Configuration": {{"BucketARN": "lake", "RoleARN": "r"}}}}, "Sluice": {{"StartPosition": "oldest"}}}})",
      server.Url(), kArn);
  const auto refused = [&](std::string_view message) {
    for (const DeliveryAction action : {DeliveryAction::kCheck, DeliveryAction::kCreate}) {
      const auto answer = managed.Do(action, "", document);
      REQUIRE_FALSE(answer.has_value());
      INFO(answer.error().message());
      CHECK(answer.error().code() == Code::kInvalidArgument);
      CHECK(Contains(answer.error().message(), "/file.json: SecretsManagerConfiguration: secret 'arn:aws:"));
      CHECK(Contains(answer.error().message(), message));
    }
  };
  refused("set delivery.secrets_dir to a folder");
  const std::string secrets = managed.temp.path() + "/secrets";
  std::filesystem::create_directory(secrets);
  managed.options.secrets_dir = secrets;
  managed.Start();
  refused(secrets + "/key.json; put {\"api_key\": \"..\"} there");
  managed.WriteFile("secrets/key.json", R"({"api_key": "c4n4ry"})");
  REQUIRE(::chmod((secrets + "/key.json").c_str(), 0644) == 0);
  refused("run 'chmod 640' or 'chmod 600' on it");
  REQUIRE(::chmod((secrets + "/key.json").c_str(), 0640) == 0);

  std::string told = managed.Answer(DeliveryAction::kCheck, "", document);
  told += managed.Answer(DeliveryAction::kCreate, "", document);
  managed.Append("orders", 0, 3);
  told += managed.Answer(DeliveryAction::kFlush, "d");
  for (const DeliveryAction action : {DeliveryAction::kList, DeliveryAction::kDescribe, DeliveryAction::kLedger})
    told += managed.Answer(action, "d");
  CHECK(server.Requests().back().Header("x-amz-firehose-access-key") == "c4n4ry");
  CHECK(Contains(told, fmt::format(R"("SecretsManagerConfiguration":{{"Enabled":true,"SecretARN":"{}"}})", kArn)));
  CHECK_FALSE(Contains(told, "c4n4ry"));
  for (const auto& [key, value] : *managed.metadata.Scan("")) CHECK_FALSE(Contains(value, "c4n4ry"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(managed.temp.path())) {
    if (!entry.is_regular_file() || entry.path() == secrets + "/key.json") continue;
    std::ostringstream bytes;
    bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    CHECK_FALSE(Contains(bytes.str(), "c4n4ry"));
  }
  // What is stored starts a broker whose settings have changed, which says so and delivers nothing.
  managed.options.secrets_dir.clear();
  managed.Start();
  managed.Append("orders", 0, 1);
  const auto failing = managed.Do(DeliveryAction::kFlush, "d");
  REQUIRE_FALSE(failing.has_value());
  CHECK(Contains(failing.error().message(), "set delivery.secrets_dir to a folder"));
}

}  // namespace sluice::delivery
