// Any JSON document as the input of a Firehose operation, whose name stands in the first line. What passes the port's
// checks is run over a broker in memory, with delivery streams "d" of direct put and "k" of a stream, and must be
// answered, once.
#include <algorithm>
#include <future>
#include <string>

#include "broker/api/firehose/firehose_service.h"
#include "broker/delivery/delivery_manager.h"
#include "tests/broker/core_fixture.h"
#include "tests/fuzz/fuzz.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::broker::firehose {
namespace {

class FuzzCall final : public aws::Call {
 public:
  FuzzCall(std::string bytes, EventLoop& loop) : loop_(loop), bytes_(std::move(bytes)) {}

  /// Whether the bytes are a document that the operation's checks let through.
  bool Passes(const aws::Operation& operation) {
    const std::size_t size = bytes_.size();
    bytes_.append(protocol::aws::Document::kPaddingBytes, '\0');
    return document_.ReadJson(std::string_view(bytes_).substr(0, size)).ok() &&
           document_.root().kind() == protocol::aws::Kind::kMap &&
           !protocol::aws::CheckTypes(input(), operation.input()) &&
           !protocol::aws::CheckConstraints(input(), operation.input());
  }

  const aws::Caller& caller() const override { return caller_; }
  protocol::aws::Value input() const override { return document_.root(); }
  EventLoop& loop() const override { return loop_; }
  std::string_view content_type() const override { return "any"; }
  std::unique_ptr<protocol::aws::Writer> NewWriter() const override {
    return protocol::aws::Writer::New(protocol::aws::Encoding::kJson);
  }
  void Answer(std::string body) override {
    body.append(protocol::aws::Document::kPaddingBytes, '\0');
    protocol::aws::Document answer;
    const std::size_t size = body.size() - protocol::aws::Document::kPaddingBytes;
    SLUICE_CHECK(answer.ReadJson(std::string_view(body).substr(0, size)).ok());
    answered_.set_value();
  }
  void Fail(protocol::aws::ApiError) override { answered_.set_value(); }
  std::shared_ptr<aws::AnswerStream> BeginStream(std::string_view, aws::StreamObserver) override {
    SLUICE_CHECK(false);  // no operation does
    return nullptr;
  }
  void Wait() { answered_.get_future().wait(); }

 private:
  const aws::Caller caller_{.account = "000000000000", .region = "us-east-1", .access_key = ""};
  EventLoop& loop_;
  std::string bytes_;
  protocol::aws::Document document_;
  std::promise<void> answered_;
};

constexpr std::string_view kDirectPut =
    R"({"DeliveryStreamName":"d","ExtendedS3DestinationConfiguration":{"BucketARN":"b","RoleARN":"r"}})";
constexpr std::string_view kOfStream =
    R"({"DeliveryStreamName":"k","KinesisStreamSourceConfiguration":{"KinesisStreamARN":"s"},)"
    R"("ExtendedS3DestinationConfiguration":{"BucketARN":"b","RoleARN":"r"}})";

/// One broker for all inputs. After each its delivery streams are made anew.
class World {
 public:
  World() {
    SLUICE_CHECK(core_.catalog->Create("s", 1, {}).has_value());
    delivery::DeliveryOptions options;
    options.lake_dir = temp_.path();
    auto manager = delivery::DeliveryManager::Start(
        options, {.catalog = *core_.catalog,
                  .loops = core_.loops,
                  .appends = *core_.appends,
                  .append_options = core_.append_limits,
                  .reads = *core_.reads,
                  .holds = core_.holds,
                  .metadata = *core_.metadata,
                  .env = *core_.env,
                  .work_dir = temp_.path() + "/work",
                  .forget_stream = [this](StreamPtr stream) { core_.shards.ForgetStream(std::move(stream)); }});
    SLUICE_CHECK(manager.has_value());
    manager_ = std::move(*manager);
    service_ = FirehoseService({.catalog = *core_.catalog,
                                .appends = *core_.appends,
                                .deliveries = *manager_,
                                .keyring = core_.keyring,
                                .clock = core_.env->clock(),
                                .random = core_.env->random(),
                                .append_options = {}});
    Reset();
  }

  const aws::Operation* Find(std::string_view name) const {
    const auto found = std::ranges::find(service_.operations, name, &aws::Operation::name);
    return found == service_.operations.end() ? nullptr : &*found;
  }

  void Run(const aws::Operation& operation, std::string_view bytes) {
    const auto call = std::make_shared<FuzzCall>(std::string(bytes), core_.loops.loop(0));
    if (!call->Passes(operation)) return;
    if (operation.thread == aws::OperationThread::kBlocking) {
      core_.loops.RunBlocking([&operation, call] { operation.run(call); });
    } else {
      call->loop().Post([&operation, call] { operation.run(call); });
    }
    call->Wait();
    Reset();
  }

 private:
  void Reset() {
    for (const DeliveryInfoPtr& info : manager_->All()) SLUICE_CHECK(manager_->Discard(info->name).ok());
    for (const std::string_view document : {kDirectPut, kOfStream}) {
      SLUICE_CHECK(manager_->Handle(DeliveryAction::kCreate, "", document, "d.json").has_value());
    }
  }

  storage::TempDir temp_;
  Core core_;
  std::unique_ptr<delivery::DeliveryManager> manager_;
  aws::Service service_;
};

}  // namespace
}  // namespace sluice::broker::firehose

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const world = new sluice::broker::firehose::World();
  const std::string_view input = sluice::fuzz::Input(data, size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto* const operation = world->Find(input.substr(0, line));
  if (operation == nullptr) return -1;
  world->Run(*operation, input.substr(std::min(line + 1, input.size())));
  return 0;
}
