// The Kinesis operations over the real log in memory, called as the AWS port calls them, in either encoding.
//
//     KinesisCore core(GENERATE(Encoding::kJson, Encoding::kCbor));
//     core.MustRun("CreateStream", R"({"StreamName":"orders","ShardCount":1})");
//     CHECK(core.Run("PutRecord", R"({..})").At("ShardId") == "shardId-000000000000");
//
// Requests are written in JSON and turned into CBOR where that is the encoding; answers are turned back, so that a test
// says the same of both.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/api/aws/operation.h"
#include "broker/api/kinesis/kinesis_service.h"
#include "broker/encryption/key_file.h"
#include "broker/metrics.h"
#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"
#include "protocol/base64.h"
#include "protocol/check.h"
#include "storage/env/memory_env.h"
#include "tests/broker/kinesis/fake_stream.h"
#include "tests/catch.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Document;
using protocol::aws::Encoding;
using protocol::aws::Kind;
using protocol::aws::Value;
using protocol::aws::Writer;

/// Writes `value` in another encoding. JSON has no bytes and times of its own: these members have them.
inline void Transcode(Value value, Writer& writer, std::string_view name = {}) {
  const bool is_time = name == "Timestamp" || name == "StreamCreationTimestamp";
  switch (value.kind()) {
    case Kind::kText:
      return name == "Data" ? writer.Bytes(*protocol::DecodeBase64(value.text())) : writer.Text(value.text());
    case Kind::kInteger:
      return is_time ? writer.Timestamp(value.integer() * 1'000) : writer.Integer(value.integer());
    case Kind::kReal:
      return writer.Timestamp(protocol::aws::ToTimestampMs(value));
    case Kind::kTimestamp:
      return writer.Timestamp(value.integer());
    case Kind::kBytes:
      return writer.Bytes(value.text());
    case Kind::kBoolean:
      return writer.Boolean(value.boolean());
    case Kind::kNull:
      return writer.Boolean(false);  // nobody sends or answers null here
    case Kind::kList:
      writer.BeginList();
      for (const auto [unnamed, child] : value.children()) Transcode(child, writer);
      return writer.EndList();
    case Kind::kMap:
      writer.BeginMap();
      for (const auto [member, child] : value.children()) Transcode(child, writer.Name(member), member);
      return writer.EndMap();
  }
}

inline void ReadJson(Document& document, std::string& text) {
  const std::size_t size = text.size();
  text.append(Document::kPaddingBytes, '\0');
  INFO(text);
  REQUIRE(document.ReadJson(std::string_view(text).substr(0, size)).ok());
}

inline std::string CborAsJson(std::string_view cbor) {
  Document document;
  SLUICE_CHECK(document.ReadCbor(cbor).ok());
  const auto writer = Writer::New(Encoding::kJson);
  Transcode(document.root(), *writer);
  return writer->Take();
}

struct Reply {
  std::string body;  // as JSON
  std::optional<ApiError> error;

  /// The text or number at "Records.0.ShardId"; empty where there is none.
  std::string At(std::string_view path) const {
    std::string text = body;
    Document document;
    ReadJson(document, text);
    std::optional<Value> value = document.root();
    while (value && !path.empty()) {
      const std::string_view step = path.substr(0, path.find('.'));
      path.remove_prefix(std::min(step.size() + 1, path.size()));
      value = value->kind() == Kind::kList ? Element(*value, step) : value->Find(step);
    }
    if (!value) return "";
    if (value->kind() == Kind::kText) return std::string(value->text());
    if (value->kind() == Kind::kList) return std::to_string(value->size());
    if (value->kind() == Kind::kBoolean) return value->boolean() ? "true" : "false";
    return value->kind() == Kind::kReal ? std::to_string(value->real()) : std::to_string(value->integer());
  }
  std::string type() const { return error ? error->type : ""; }
  std::string message() const { return error ? error->message : ""; }

 private:
  static std::optional<Value> Element(Value list, std::string_view step) {
    std::size_t left = std::stoul(std::string(step));
    for (const auto [unnamed, child] : list.children()) {
      if (left-- == 0) return child;
    }
    return std::nullopt;
  }
};

/// A call whose input has passed the port's checks.
class FakeCall final : public aws::Call {
 public:
  FakeCall(Encoding encoding, std::string json, aws::Caller caller, EventLoop& loop)
      : encoding_(encoding), caller_(std::move(caller)), loop_(loop), bytes_(std::move(json)) {
    ReadJson(document_, bytes_);
    if (encoding_ == Encoding::kJson) return;
    const auto writer = Writer::New(Encoding::kCbor);
    Transcode(document_.root(), *writer);
    bytes_ = writer->Take();
    REQUIRE(document_.ReadCbor(bytes_).ok());
  }

  const aws::Caller& caller() const override { return caller_; }
  Value input() const override { return document_.root(); }
  EventLoop& loop() const override { return loop_; }
  std::string_view content_type() const override {
    return encoding_ == Encoding::kCbor ? "application/x-amz-cbor-1.1" : "application/x-amz-json-1.1";
  }
  std::unique_ptr<Writer> NewWriter() const override { return Writer::New(encoding_); }
  void Answer(std::string body) override { Finish({std::move(body), std::nullopt}); }
  void Fail(ApiError error) override { Finish({"", std::move(error)}); }
  std::shared_ptr<aws::AnswerStream> BeginStream(std::string_view content_type, aws::StreamObserver observer) override {
    SLUICE_CHECK(content_type == "application/vnd.amazon.eventstream");
    stream_ = std::make_shared<FakeStream>(loop_, std::move(observer));
    Finish({"", std::nullopt});
    return stream_;
  }
  /// After Wait; null where the answer was none.
  std::shared_ptr<FakeStream> stream() const { return stream_; }

  /// What was answered, and whether that was on the call's loop. A second answer ends the test.
  std::pair<Reply, bool> Wait() { return promise_.get_future().get(); }

 private:
  void Finish(Reply reply) {
    if (encoding_ == Encoding::kCbor && !reply.body.empty()) reply.body = CborAsJson(reply.body);
    promise_.set_value({std::move(reply), loop_.InLoop()});
  }

  const Encoding encoding_;
  const aws::Caller caller_;
  EventLoop& loop_;
  std::string bytes_;
  Document document_;
  std::shared_ptr<FakeStream> stream_;
  std::promise<std::pair<Reply, bool>> promise_;
};

class KinesisCore {
 public:
  explicit KinesisCore(Encoding encoding = Encoding::kJson, std::size_t loops = 1, AppendOptions append_options = {},
                       KinesisOptions options = {}, SubscriptionOptions subscriptions = {})
      : encoding_(encoding),
        loop_count_(loops),
        append_options_(append_options),
        options_(options),
        subscriptions_(subscriptions) {
    Start();
  }
  ~KinesisCore() { Stop(); }

  void Restart() {
    Stop();
    Start();
  }

  Reply Run(std::string_view operation, std::string json) { return RunAs(caller, operation, std::move(json)); }
  /// Of the first loop; the shards may be another loop's.
  Reply RunAs(const aws::Caller& as, std::string_view operation, std::string json) {
    return RunCall(as, operation, std::move(json)).first;
  }
  /// What SubscribeToShard answers; null where that is an error.
  std::pair<Reply, std::shared_ptr<FakeStream>> Subscribe(std::string json) {
    return RunCall(caller, "SubscribeToShard", std::move(json));
  }
  std::pair<Reply, std::shared_ptr<FakeStream>> RunCall(const aws::Caller& as, std::string_view operation,
                                                        std::string json) {
    const auto& operations = running_->service.operations;
    const auto found = std::ranges::find(operations, operation, &aws::Operation::name);
    REQUIRE(found != operations.end());
    const auto call = std::make_shared<FakeCall>(encoding_, std::move(json), as, running_->loops.loop(0));
    auto wrong = protocol::aws::CheckTypes(call->input(), found->input());
    if (!wrong) wrong = protocol::aws::CheckConstraints(call->input(), found->input());
    if (wrong) return {Reply{"", std::move(wrong)}, nullptr};
    const bool blocking = found->thread == aws::OperationThread::kBlocking;
    if (blocking) running_->loops.RunBlocking([run = found->run, call] { run(call); });
    if (!blocking) call->loop().Post([run = found->run, call] { run(call); });
    auto [reply, on_loop] = call->Wait();
    CHECK(on_loop == !blocking);
    return {std::move(reply), call->stream()};
  }
  /// A call that succeeds.
  Reply MustRun(std::string_view operation, std::string json) {
    Reply reply = Run(operation, std::move(json));
    INFO(operation << ": " << reply.type() << ": " << reply.message());
    REQUIRE(!reply.error);
    return reply;
  }

  /// The iterator at a place of a shard: R"("ShardIteratorType":"LATEST")", say.
  std::string Iterator(std::string_view place, std::string_view shard = "shardId-000000000000",
                       std::string_view stream = "orders") {
    std::string json = R"({"StreamName":")";
    json.append(stream).append(R"(","ShardId":")").append(shard).append("\",").append(place).append("}");
    return MustRun("GetShardIterator", json).At("ShardIterator");
  }
  Reply Records(std::string_view iterator, int limit = 10'000) {
    return MustRun("GetRecords",
                   R"({"ShardIterator":")" + std::string(iterator) + R"(","Limit":)" + std::to_string(limit) + "}");
  }
  Reply Put(std::string_view key, std::string_view data, std::string_view stream = "orders") {
    return MustRun("PutRecord", R"({"StreamName":")" + std::string(stream) + R"(","PartitionKey":")" +
                                    std::string(key) + R"(","Data":")" + protocol::EncodeBase64(data) + "\"}");
  }
  /// Appends a batch of another door.
  void Append(ShardId shard, std::string_view batch) {
    std::promise<Result<storage::Appended>> appended;
    running_->loops.loop(0).Post([&] {
      protocol::FrameBuffer buffer(batch.size());
      std::ranges::copy(batch, buffer.batch().begin());
      AppendRequest request{.stream = shard.stream, .shard = shard.index, .batch = std::move(buffer)};
      running_->appends->Append(running_->loops.loop(0), std::move(request),
                                [&](const auto& result) { appended.set_value(result); });
    });
    REQUIRE(appended.get_future().get().has_value());
  }

  StreamCatalog& catalog() { return *running_->catalog; }
  storage::LogStore& store() { return *running_->store; }
  Shards& shards() { return *running_->shards; }
  Resharder& resharder() { return *running_->resharder; }
  storage::ManualClock& clock() { return env_.manual_clock(); }
  storage::MemoryEnv& env() { return env_; }

  aws::Caller caller{.account = "000000000000", .region = "us-east-1", .access_key = "test"};
  std::string key_file;  // in env(), from the next Restart on; empty: no stream can be encrypted
  RetentionHolds holds;
  bool writing_may_end = false;  // where a test fails the disk, the log cannot be closed

 private:
  struct Running {
    explicit Running(std::size_t loop_count) : loops(loop_count), metrics(loops.size()) {}
    EventLoops loops;
    Metrics metrics;
    std::unique_ptr<storage::LogStore> store;
    std::unique_ptr<StreamCatalog> catalog;
    std::unique_ptr<Keyring> keyring;
    std::unique_ptr<Shards> shards;
    std::unique_ptr<AppendService> appends;
    std::unique_ptr<ReadService> reads;
    std::unique_ptr<Resharder> resharder;
    aws::Service service;
  };

  void Start() {
    running_ = std::make_unique<Running>(loop_count_);
    Running& now = *running_;
    const storage::LogStoreOptions options{
        .journal_file_bytes = 16u << 20, .journal_bytes_max = 64u << 20, .segment_bytes = 1u << 20};
    auto store = storage::LogStore::Open(env_, "/data", options, nullptr);
    REQUIRE(store.has_value());
    now.store = std::move(*store);
    now.catalog = std::move(*StreamCatalog::Open(*metadata_, env_.clock()));
    now.keyring = std::make_unique<Keyring>(
        KeyringParts{.catalog = *now.catalog,
                     .clock = env_.clock(),
                     .run_blocking = [&now](auto task) { now.loops.RunBlocking(std::move(task)); }},
        key_file.empty() ? nullptr : std::move(*OpenKeyFile(env_, key_file)), EncryptionOptions());
    now.shards = std::make_unique<Shards>(
        now.loops, ShardsParts{.store = *now.store, .catalog = *now.catalog, .keyring = *now.keyring});
    now.appends = AppendService::New(*now.shards, *now.store, now.metrics, env_.clock(), append_options_);
    now.reads = ReadService::New(*now.shards, now.metrics, ReadOptions());
    now.resharder = std::make_unique<Resharder>(*now.shards, *now.catalog, env_.clock());
    auto service = KinesisService({.catalog = *now.catalog,
                                   .shards = *now.shards,
                                   .holds = holds,
                                   .store = *now.store,
                                   .metadata = *metadata_,
                                   .appends = *now.appends,
                                   .reads = *now.reads,
                                   .keyring = *now.keyring,
                                   .resharder = *now.resharder,
                                   .clock = env_.clock(),
                                   .random = env_.random(),
                                   .append_options = append_options_,
                                   .accounts = {"000000000000", "111111111111", "222222222222"},
                                   .options = options_,
                                   .subscriptions = subscriptions_});
    REQUIRE(service.has_value());
    now.service = std::move(*service);
  }

  void Stop() {
    running_->shards->Stop();
    running_->loops.DrainBlocking();
    CHECK((running_->store->Close().ok() || writing_may_end));
    running_->loops.Stop();
    running_.reset();
  }

  const Encoding encoding_;
  const std::size_t loop_count_;
  const AppendOptions append_options_;
  const KinesisOptions options_;
  const SubscriptionOptions subscriptions_;
  storage::MemoryEnv env_;
  std::unique_ptr<storage::MetadataStore> metadata_ = storage::NewMemoryMetadataStore();
  std::unique_ptr<Running> running_;
};

}  // namespace sluice::broker::kinesis
