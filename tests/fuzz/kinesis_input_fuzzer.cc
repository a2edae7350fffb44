// Any document, JSON or CBOR, as the input of a Kinesis operation, whose name stands in the first line. What passes the
// port's checks is run over a broker in memory and must be answered, once.
#include <algorithm>
#include <future>
#include <string>

#include "broker/api/kinesis/kinesis_service.h"
#include "tests/broker/core_fixture.h"
#include "tests/broker/master_keys.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::kinesis {
namespace {

class Nowhere final : public aws::AnswerStream {
 public:
  void Write(std::string) override {}
  void End() override {}
  bool has_room() const override { return false; }
};

class FuzzCall final : public aws::Call {
 public:
  FuzzCall(protocol::aws::Encoding encoding, std::string bytes, EventLoop& loop)
      : encoding_(encoding), loop_(loop), bytes_(std::move(bytes)) {}

  /// Whether the bytes are a document that the operation's checks let through.
  bool Passes(const aws::Operation& operation) {
    const std::size_t size = bytes_.size();
    if (encoding_ == protocol::aws::Encoding::kJson) bytes_.append(protocol::aws::Document::kPaddingBytes, '\0');
    const std::string_view body = std::string_view(bytes_).substr(0, size);
    const bool read =
        encoding_ == protocol::aws::Encoding::kJson ? document_.ReadJson(body).ok() : document_.ReadCbor(body).ok();
    return read && document_.root().kind() == protocol::aws::Kind::kMap &&
           !protocol::aws::CheckTypes(input(), operation.input()) &&
           !protocol::aws::CheckConstraints(input(), operation.input());
  }

  const aws::Caller& caller() const override { return caller_; }
  protocol::aws::Value input() const override { return document_.root(); }
  EventLoop& loop() const override { return loop_; }
  std::string_view content_type() const override { return "any"; }
  std::unique_ptr<protocol::aws::Writer> NewWriter() const override { return protocol::aws::Writer::New(encoding_); }
  void Answer(std::string body) override {
    protocol::aws::Document answer;
    if (encoding_ == protocol::aws::Encoding::kCbor) SLUICE_CHECK(body.empty() || answer.ReadCbor(body).ok());
    answered_.set_value();
  }
  void Fail(protocol::aws::ApiError) override { answered_.set_value(); }
  std::shared_ptr<aws::AnswerStream> BeginStream(std::string_view, aws::StreamObserver observer) override {
    answered_.set_value();
    // A client that goes at once, for the next input's sake.
    loop_.Post([observer = std::move(observer)]() mutable { observer(aws::StreamNews::kGone); });
    return std::make_shared<Nowhere>();
  }
  void Wait() { answered_.get_future().wait(); }

 private:
  const protocol::aws::Encoding encoding_;
  const aws::Caller caller_{.account = "000000000000", .region = "us-east-1", .access_key = ""};
  EventLoop& loop_;
  std::string bytes_;
  protocol::aws::Document document_;
  std::promise<void> answered_;
};

/// One broker for all inputs. After each its streams go, with what was put into them, and "s" with its consumer "c" is
/// made anew.
class World {
 public:
  World()
      : service_(*KinesisService({.catalog = *core_.catalog,
                                  .shards = core_.shards,
                                  .holds = core_.holds,
                                  .store = core_.store,
                                  .metadata = *core_.metadata,
                                  .appends = *core_.appends,
                                  .reads = *core_.reads,
                                  .keyring = core_.keyring,
                                  .resharder = resharder_,
                                  .clock = core_.env->clock(),
                                  .random = core_.env->random(),
                                  .append_options = {}})) {
    Reset();
  }

  const aws::Operation* Find(std::string_view name) const {
    const auto found = std::ranges::find(service_.operations, name, &aws::Operation::name);
    return found == service_.operations.end() ? nullptr : &*found;
  }

  void Run(const aws::Operation& operation, std::string_view bytes, protocol::aws::Encoding encoding) {
    const auto call = std::make_shared<FuzzCall>(encoding, std::string(bytes), core_.loops.loop(0));
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
    for (const StreamPtr& stream : core_.catalog->List()) {
      SLUICE_CHECK(core_.catalog->Delete(stream->name).has_value());
      core_.shards.ForgetStream(stream);
    }
    KinesisSettings settings;
    settings.consumers["c"] = {};
    SLUICE_CHECK(core_.catalog->Create("s", 2, {}, false, std::move(settings)).has_value());
  }

  Core core_{1, {}, {}, NewMasterKeys()};
  Resharder resharder_{core_.shards, *core_.catalog, core_.env->clock()};
  aws::Service service_;
};

}  // namespace
}  // namespace sluice::broker::kinesis

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sluice::protocol::aws::Encoding;
  static auto* const world = new sluice::broker::kinesis::World();
  const std::string_view input = sluice::fuzz::Input(data, size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto* const operation = world->Find(input.substr(0, line));
  if (operation == nullptr) return -1;
  const std::string_view body = input.substr(std::min(line + 1, input.size()));
  world->Run(*operation, body, Encoding::kJson);
  world->Run(*operation, body, Encoding::kCbor);
  return 0;
}
