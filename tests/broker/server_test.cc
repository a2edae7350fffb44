// The whole broker in this process: real disk, real log, over its doors.
#include "broker/server.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "broker/data_dir.h"
#include "broker/log.h"
#include "broker/signals.h"
#include "protocol/batch.h"
#include "protocol/frame.h"
#include "protocol/native/data_messages.h"
#include "protocol/native/native.pb.h"
#include "storage/env/posix_env.h"
#include "storage/log_store.h"
#include "tests/broker/raw_client.h"
#include "tests/catch.h"

namespace sluice::broker {
namespace {

namespace pb = ::sluice::native;
namespace wire = protocol::wire;
using wire::Operation;

struct TempDir {
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-server-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

Config ConfigFor(const TempDir& dir, std::uint32_t loops = 1) {
  Config config;
  config.server.data_dir = dir.path + "/data";
  config.server.event_loops = loops;
  config.server.allow_volatile = true;  // wherever the tests' temporary directory is
  config.storage.journal_file_bytes = 32u << 20;
  config.storage.journal_bytes_max = 128u << 20;
  config.delivery.lake_dir = dir.path + "/lake";
  config.native.port = 0;
  config.admin.port = 0;
  config.aws.port = 0;
  config.aws.tls.port = 0;
  config.log.level = "error";
  return config;
}

std::unique_ptr<Server> StartServer(const Config& config) {
  auto server = Server::Start(config);
  if (!server) FAIL(server.error().ToString());
  return std::move(*server);
}

pb::StreamInfo CreateStream(RawClient& client, std::string_view name, std::uint32_t shards) {
  pb::CreateStreamRequest create;
  create.set_name(std::string(name));
  create.set_shards(shards);
  client.Send(RawClient::Request(Operation::kCreateStream, 1, create.SerializeAsString()));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  REQUIRE(answer->header.status == Code::kOk);
  pb::StreamInfo info;
  REQUIRE(info.ParseFromString(answer->control));
  return info;
}

std::string BatchOf(int records, ProducerId producer = kNoProducer, std::int16_t epoch = -1,
                    std::int32_t sequence = -1) {
  protocol::BatchBuilder builder;
  if (producer != kNoProducer) builder.SetProducer(producer, epoch, sequence);
  for (int i = 0; i < records; ++i) builder.Add(1'700'000'000'000 + i, "key", "value");
  std::string batch;
  builder.Finish(batch);
  return batch;
}

Result<wire::AppendResponse> Append(RawClient& client, std::uint32_t stream, std::uint32_t shard,
                                    std::string_view batch, std::uint32_t ack = 0) {
  client.Send(RawClient::Append(9, stream, shard, batch, ack));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  if (answer->header.status != Code::kOk) return Error(answer->header.status, answer->error());
  return wire::DecodeAppendResponse(answer->control);
}

// Records of a shard from its oldest, by frame.
std::vector<std::uint64_t> BaseOffsets(RawClient& client, std::uint32_t stream, std::uint32_t shard) {
  const wire::ReadRequest read{
      .stream_id = stream, .shard = shard, .from = wire::ReadFrom::kOldest, .bytes_max = 16u << 20, .wait_ms = 10'000};
  client.Send(RawClient::Request(Operation::kRead, 10, wire::Encode(read).view()));
  const auto answer = client.Receive();
  REQUIRE(answer.has_value());
  REQUIRE(answer->header.status == Code::kOk);
  std::vector<std::uint64_t> offsets;
  std::string_view rest = answer->body;
  while (!rest.empty()) {
    const auto frame = protocol::VerifyFrame(rest);
    REQUIRE(frame.has_value());
    offsets.push_back(frame->base_offset.value);
    rest.remove_prefix(frame->total_size());
  }
  return offsets;
}

// The whole answer to a request with "Connection: close".
std::string Http(std::uint16_t port, std::string_view request) {
  RawClient client(port);
  client.Send(request);
  std::string answer;
  char buffer[4096];
  ssize_t received = 0;
  while ((received = ::recv(client.socket(), buffer, sizeof(buffer), 0)) > 0) {
    answer.append(buffer, static_cast<std::size_t>(received));
  }
  return answer;
}

std::string Get(std::uint16_t port, std::string_view path) {
  return Http(port, "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

TEST_CASE("Server: records survive a clean restart", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir, GENERATE(1u, 2u));
  std::uint32_t id = 0;
  {
    const auto server = StartServer(config);
    RawClient client(server->ports().native);
    client.Hello();
    id = CreateStream(client, "orders", 3).stream_id();
    for (std::uint32_t shard = 0; shard < 3; ++shard) {
      for (std::uint64_t i = 0; i < 5; ++i) CHECK(Append(client, id, shard, BatchOf(2))->base_offset == 2 * i);
    }
    CHECK(server->Stop().ok());
    CHECK(!std::filesystem::exists(config.server.data_dir + "/ports.json"));
  }
  {
    const auto env = storage::NewPosixEnv();
    storage::RecoveryReport report;
    auto store = storage::LogStore::Open(*env, config.server.data_dir, config.storage, &report);
    REQUIRE(store.has_value());
    CHECK(report.clean_shutdown);
    REQUIRE((*store)->Close().ok());
  }
  const auto server = StartServer(config);
  RawClient client(server->ports().native);
  client.Hello();
  for (std::uint32_t shard = 0; shard < 3; ++shard) {
    CHECK(BaseOffsets(client, id, shard) == std::vector<std::uint64_t>{0, 2, 4, 6, 8});
    CHECK(Append(client, id, shard, BatchOf(1))->base_offset == 10);
  }
}

TEST_CASE("Server: a direct-put delivery stream, whose own stream is hidden, survives a restart", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  const auto ask = [](Server& server, pb::DeliveryRequest::Action action, std::string_view document) {
    RawClient client(server.ports().native);
    client.Hello();
    pb::DeliveryRequest request;
    request.set_action(action);
    request.set_document(std::string(document));
    client.Send(RawClient::Request(Operation::kDelivery, 1, request.SerializeAsString()));
    const auto answer = client.Receive();
    REQUIRE(answer.has_value());
    INFO(answer->error());
    REQUIRE(answer->header.status == Code::kOk);
    pb::DeliveryResponse response;
    REQUIRE(response.ParseFromString(answer->control));
    return response.document();
  };
  {
    const auto server = StartServer(config);
    ask(*server, pb::DeliveryRequest::CREATE,
        R"({"DeliveryStreamName": "d", "DeliveryStreamType": "DirectPut",
            "S3DestinationConfiguration": {"BucketARN": "arn:aws:s3:::lake", "RoleARN": "r"}})");
    CHECK(server->Stop().ok());
  }
  const auto server = StartServer(config);
  CHECK(ask(*server, pb::DeliveryRequest::LIST, "").find("delivery:d") != std::string::npos);
}

TEST_CASE("Server: every ack mode ends in the log", "[broker]") {
  const TempDir dir;
  const auto server = StartServer(ConfigFor(dir));
  RawClient client(server->ports().native);
  client.Hello();
  const std::uint32_t id = CreateStream(client, "orders", 1).stream_id();
  CHECK(Append(client, id, 0, BatchOf(1), 0)->base_offset == 0);
  client.Send(RawClient::Append(1, id, 0, BatchOf(1), 2));  // none: no answer
  CHECK(Append(client, id, 0, BatchOf(1), 1)->base_offset == 2);
  CHECK(Append(client, id, 0, BatchOf(1), 0)->base_offset == 3);
  CHECK(BaseOffsets(client, id, 0) == std::vector<std::uint64_t>{0, 1, 2, 3});
}

TEST_CASE("Server: an idempotent producer's retry is stored once, also over a restart", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  auto server = StartServer(config);
  std::optional<RawClient> client(std::in_place, server->ports().native);
  client->Hello();
  const std::uint32_t id = CreateStream(*client, "orders", 1).stream_id();
  client->Send(RawClient::Request(Operation::kInitProducer, 1, ""));
  pb::InitProducerResponse grant;
  REQUIRE(grant.ParseFromString(client->Receive()->control));
  const ProducerId producer(grant.producer_id());
  const auto epoch = static_cast<std::int16_t>(grant.epoch());

  CHECK(Append(*client, id, 0, BatchOf(3, producer, epoch, 0))->base_offset == 0);
  const auto again = Append(*client, id, 0, BatchOf(3, producer, epoch, 0));
  REQUIRE(again.has_value());
  CHECK(again->duplicate);
  CHECK(again->base_offset == 0);
  CHECK(Append(*client, id, 0, BatchOf(1, producer, epoch, 7)).error().code() == Code::kFailedPrecondition);

  client.reset();
  server.reset();
  server = StartServer(config);
  client.emplace(server->ports().native);
  client->Hello();
  CHECK(Append(*client, id, 0, BatchOf(3, producer, epoch, 0))->duplicate);
  CHECK(Append(*client, id, 0, BatchOf(1, producer, epoch, 3))->base_offset == 3);
  CHECK(Append(*client, id, 0, BatchOf(1, producer, static_cast<std::int16_t>(epoch + 1), 0))->base_offset == 4);
  CHECK(Append(*client, id, 0, BatchOf(1, producer, epoch, 4)).error().code() == Code::kFenced);
}

TEST_CASE("Server: a deleted stream is gone, its name is free, its number is not", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  auto server = StartServer(config);
  {
    RawClient client(server->ports().native);
    client.Hello();
    const std::uint32_t id = CreateStream(client, "orders", 2).stream_id();
    REQUIRE(Append(client, id, 0, BatchOf(1)).has_value());
    pb::DeleteStreamRequest remove;
    remove.set_name("orders");
    client.Send(RawClient::Request(Operation::kDeleteStream, 1, remove.SerializeAsString()));
    REQUIRE(client.Receive()->header.status == Code::kOk);
    const std::uint32_t new_id = CreateStream(client, "orders", 1).stream_id();
    CHECK(new_id != id);
    CHECK(Append(client, new_id, 0, BatchOf(1))->base_offset == 0);
  }
  server.reset();
  server = StartServer(config);
  RawClient client(server->ports().native);
  client.Hello();
  client.Send(RawClient::Request(Operation::kListStreams, 1, ""));
  pb::ListStreamsResponse list;
  REQUIRE(list.ParseFromString(client.Receive()->control));
  CHECK(list.streams_size() == 1);
}

TEST_CASE("Server: the admin door answers", "[broker]") {
  const TempDir dir;
  Config config = ConfigFor(dir);
  config.admin.request_timeout_ms = 200;
  const auto server = StartServer(config);
  const std::uint16_t port = server->ports().admin;
  RawClient client(server->ports().native);
  client.Hello();
  const std::uint32_t id = CreateStream(client, "orders", 2).stream_id();
  REQUIRE(Append(client, id, 0, BatchOf(5)).has_value());

  CHECK(Get(port, "/healthz").starts_with("HTTP/1.1 200"));
  CHECK(Get(port, "/readyz").starts_with("HTTP/1.1 200"));
  CHECK(Get(port, "/version").find("{\"version\":\"") != std::string::npos);
  const std::string metrics = Get(port, "/metrics?x=y");
  CHECK(metrics.find("\nsluice_append_records_total 5\n") != std::string::npos);
  CHECK(metrics.find("\nsluice_stream_records_total{stream=\"orders\"} 5\n") != std::string::npos);
  CHECK(metrics.find("\nsluice_append_latency_seconds_count 1\n") != std::string::npos);
  CHECK(metrics.find("\nsluice_connections 1\n") != std::string::npos);
  CHECK(metrics.find("\nsluice_shards 2\n") != std::string::npos);

  CHECK(Get(port, "/other").starts_with("HTTP/1.1 404"));
  CHECK(Http(port, "POST /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 405"));
  const std::string head = Http(port, "HEAD /healthz HTTP/1.0\r\n\r\n");
  CHECK(head.starts_with("HTTP/1.0 200"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(Http(port, "PUT /metrics HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody").starts_with("HTTP/1.1 405"));
  CHECK(Http(port, "no http at all\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(Http(port, "GET /healthz HTTP/7.7\r\n\r\n").starts_with("HTTP/1.1 400"));
  CHECK(Http(port, "GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
  CHECK(Http(port, "GET /hea").empty());  // ends by its deadline
  CHECK(Get(port, "/healthz").starts_with("HTTP/1.1 200"));
}

TEST_CASE("Server: every metric is in the reference", "[broker]") {
  const TempDir dir;
  const auto server = StartServer(ConfigFor(dir));
  RawClient client(server->ports().native);
  client.Hello();
  CreateStream(client, "orders", 1);
  std::ifstream stream("docs/metrics.md");
  const std::string reference{std::istreambuf_iterator<char>(stream), {}};
  const std::string metrics = Get(server->ports().admin, "/metrics");
  std::size_t at = 0;
  int seen = 0;
  while ((at = metrics.find("# HELP ", at)) != std::string::npos) {
    at += 7;
    const std::string name = metrics.substr(at, metrics.find(' ', at) - at);
    INFO(name);
    if (name.find("delivery") == std::string::npos) CHECK(reference.find("`" + name) != std::string::npos);
    ++seen;
  }
  CHECK(seen > 20);
}

TEST_CASE("Server Start: ports.json names the ports", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  const auto server = StartServer(config);
  std::ifstream stream(config.server.data_dir + "/ports.json");
  std::string text;
  std::getline(stream, text);
  CHECK(text == "{\"native\": " + std::to_string(server->ports().native) + ", \"admin\": " +
                    std::to_string(server->ports().admin) + ", \"aws\": " + std::to_string(server->ports().aws) +
                    ", \"aws_tls\": " + std::to_string(server->ports().aws_tls) + "}");
}

TEST_CASE("Server Start: without the AWS port", "[broker]") {
  const TempDir dir;
  Config config = ConfigFor(dir);
  config.aws.enabled = false;
  const auto server = StartServer(config);
  CHECK(server->ports().aws == 0);
  CHECK(server->ports().aws_tls == 0);
  CHECK(!std::filesystem::exists(config.server.data_dir + "/tls"));
  std::ifstream stream(config.server.data_dir + "/ports.json");
  std::string text;
  std::getline(stream, text);
  CHECK(text.find("aws") == std::string::npos);
}

TEST_CASE("Server Start: ports.json of a broker that was killed is gone before the doors open", "[broker]") {
  const TempDir dir;
  const auto server = StartServer(ConfigFor(dir));
  Config second = ConfigFor(dir);
  second.server.data_dir = dir.path + "/other";
  std::filesystem::create_directory(second.server.data_dir);
  REQUIRE(WritePortsFile(second.server.data_dir, {.native = 1, .admin = 2, .aws = 3}).ok());
  second.native.port = server->ports().native;  // so the start ends at this door
  REQUIRE(!Server::Start(second).has_value());
  CHECK(!std::filesystem::exists(second.server.data_dir + "/ports.json"));
}

TEST_CASE("Server Start: what is in the way is named, and what to do", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  const auto server = StartServer(config);
  Config second = ConfigFor(dir);
  std::string expected;
  Code code = Code::kUnavailable;
  SECTION("the data directory is in use") {
    expected = config.server.data_dir;
    code = Code::kFailedPrecondition;
  }
  SECTION("the native port is in use") {
    second.server.data_dir = dir.path + "/other";
    second.native.port = server->ports().native;
    expected = "native.port";
  }
  SECTION("the admin port is in use") {
    second.server.data_dir = dir.path + "/other";
    second.admin.port = server->ports().admin;
    expected = "admin.port";
  }
  SECTION("the AWS port is in use") {
    second.server.data_dir = dir.path + "/other";
    second.aws.port = server->ports().aws;
    expected = "aws.port";
  }
  SECTION("the certificate is none") {
    second.server.data_dir = dir.path + "/other";
    second.aws.tls.files = {.certificate = dir.path + "/broken.pem", .key = dir.path + "/broken.pem"};
    std::ofstream(dir.path + "/broken.pem") << "x";
    expected = "aws.tls_certificate is no certificate in PEM";
    code = Code::kInvalidArgument;
  }
  SECTION("the data directory cannot be made") {
    std::ofstream(dir.path + "/file") << "x";
    second.server.data_dir = dir.path + "/file/data";
    expected = "server.data_dir";
    code = Code::kIoError;
  }
  const auto started = Server::Start(second);
  REQUIRE(!started.has_value());
  CHECK(started.error().code() == code);
  INFO(started.error().message());
  CHECK(started.error().message().find(expected) != std::string::npos);
  RawClient client(server->ports().native);
  client.Hello();
}

TEST_CASE("Server Start: lost metadata is told, and costs no record", "[broker]") {
  const TempDir dir;
  const Config config = ConfigFor(dir);
  const std::string metadata = config.server.data_dir + "/metadata";
  std::uint32_t stream = 0;
  {
    const auto server = StartServer(config);
    RawClient client(server->ports().native);
    client.Hello();
    stream = CreateStream(client, "orders", 1).stream_id();
    REQUIRE(Append(client, stream, 0, BatchOf(3)).has_value());
  }
  std::filesystem::rename(metadata, dir.path + "/kept");
  const auto started = Server::Start(config);
  REQUIRE(!started.has_value());
  CHECK(started.error().code() == Code::kFailedPrecondition);
  CHECK(started.error().message().find("Put back the metadata directory") != std::string::npos);
  std::filesystem::remove_all(metadata);
  std::filesystem::rename(dir.path + "/kept", metadata);
  const auto server = StartServer(config);
  RawClient client(server->ports().native);
  client.Hello();
  CHECK(BaseOffsets(client, stream, 0) == std::vector<std::uint64_t>{0});
}

TEST_CASE("CheckDurableFileSystem: refuses memory, takes a directory that is not there yet", "[broker]") {
  const Status memory = CheckDurableFileSystem("/dev/shm/sluice/data");
  CHECK(memory.code() == Code::kFailedPrecondition);
  CHECK(memory.message().find("storage.allow_volatile") != std::string::npos);
  CHECK(CheckDurableFileSystem("/usr/no/such/directory").ok());
}

TEST_CASE("Server Start: the log may go where nobody reads", "[broker]") {
  const TempDir dir;
  const auto server = StartServer(ConfigFor(dir));
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const int stderr_before = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[0]);
  ::close(ends[1]);
  log::Error("nobody reads this");
  ::dup2(stderr_before, STDERR_FILENO);
  ::close(stderr_before);
  CHECK(Get(server->ports().admin, "/healthz").starts_with("HTTP/1.1 200"));
}

TEST_CASE("StopSignals Wait: tells the first signal", "[broker]") {
  const int number = GENERATE(SIGTERM, SIGINT, SIGHUP);
  ::signal(SIGHUP, SIG_DFL);  // whoever runs the tests may ignore it
  StopSignals signals(77);
  ::kill(::getpid(), number);
  CHECK(signals.Wait() == number);
}

// ThreadSanitizer puts signals off in a process that was forked from one with threads.
#ifndef SLUICE_THREAD_SANITIZER
TEST_CASE("StopSignals: a second signal ends the process", "[broker]") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    StopSignals signals(77);
    ::raise(SIGINT);
    signals.Wait();
    ::raise(SIGINT);
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 77);
}
#endif

}  // namespace
}  // namespace sluice::broker
