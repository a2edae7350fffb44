// The checks one after the other; each ends the call with its own answer, or goes on to the next.
#include "broker/api/aws/gateway.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "broker/api/aws/answers.h"
#include "broker/api/aws/document_pool.h"
#include "broker/api/aws/response_stream.h"
#include "broker/api/aws/spare_memory.h"
#include "protocol/aws/amz_time.h"
#include "protocol/aws/shape.h"
#include "protocol/base64.h"
#include "protocol/check.h"
#include "protocol/compression.h"

namespace sluice::broker::aws {
namespace {

namespace api = protocol::aws;

constexpr std::size_t kId2Bytes = 72;
constexpr std::size_t kUnpackedBytesMax = 1u << 20;

/// "application/x-amz-json-1.1; charset=utf-8" without its parameters.
std::string_view MediaType(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return type;
}

}  // namespace

// The request, its document and the way back.
class Gateway::CallInWork final : public Call, public std::enable_shared_from_this<CallInWork> {
 public:
  CallInWork(Gateway& gateway, HttpRequest request, Reply reply)
      : loop_(gateway.loop_),
        gateway_(gateway),
        documents_(gateway.documents_),
        request_(std::move(request)),
        reply_(std::move(reply)),
        document_(documents_->Take()) {}
  ~CallInWork() override {
    documents_->Give(std::move(document_), body().size());
    SpareMemory::Give(std::move(request_.body));
  }

  const Caller& caller() const override { return caller_; }
  api::Value input() const override { return document_->root(); }
  EventLoop& loop() const override { return loop_; }
  std::string_view content_type() const override { return ContentTypeOf(wire); }
  std::unique_ptr<api::Writer> NewWriter() const override { return api::Writer::New(EncodingOf(wire)); }
  void Answer(std::string body) override {
    Send(OperationAnswer(wire, *target->service, target->operation->name, std::move(body)));
  }
  void Fail(api::ApiError error) override;
  std::shared_ptr<AnswerStream> BeginStream(std::string_view content_type, StreamObserver observer) override {
    SLUICE_CHECK(loop_.InLoop());
    auto stream = std::make_shared<ResponseStream>(std::move(observer));
    Send({.status = 200, .fields = {{"Content-Type", content_type}}, .body = {}, .stream = stream});
    return stream;
  }

  const HttpRequest& request() const { return request_; }
  /// The body as a document; false where it is none.
  bool Parse();
  void set_caller(Caller caller) { caller_ = std::move(caller); }
  void Send(HttpResponse response);

  /// Of a body that is compressed; false where it cannot be unpacked.
  bool Unpack();
  std::string_view body() const { return unpacked_.empty() ? request_.body : unpacked_; }

  Wire wire = Wire::kJson11;
  const Target* target = nullptr;

 private:
  EventLoop& loop_;
  Gateway& gateway_;
  const std::shared_ptr<DocumentPool> documents_;
  HttpRequest request_;   // the document points into its body, or
  std::string unpacked_;  // into this
  Reply reply_;
  std::unique_ptr<api::Document> document_;
  Caller caller_;
  std::atomic<bool> answered_{false};
};

void Gateway::CallInWork::Fail(api::ApiError error) {
  HttpResponse response = ErrorAnswer(error, wire);
  if (request_.Find("x-amzn-query-mode") == "true") response.fields.Add("x-amzn-query-error", QueryErrorText(error));
  Send(std::move(response));
}

bool Gateway::CallInWork::Parse() {
  if (target != nullptr && target->service->takes_gzip && !Unpack()) return false;
  if (wire == Wire::kQuery) return document_->ReadForm(body()).ok();
  return EncodingOf(wire) == api::Encoding::kCbor ? document_->ReadCbor(body()).ok() : document_->ReadJson(body()).ok();
}

bool Gateway::CallInWork::Unpack() {
  if (!unpacked_.empty() || request_.Find("content-encoding") != "gzip") return true;
  const Status status = protocol::Decompress(protocol::Compression::kGzip, request_.body, kUnpackedBytesMax, unpacked_);
  unpacked_.reserve(unpacked_.size() + api::Document::kPaddingBytes);
  return status.ok();
}

void Gateway::CallInWork::Send(HttpResponse response) {
  SLUICE_CHECK(!answered_.exchange(true));
  if (!loop_.InLoop()) {
    return loop_.Post([me = shared_from_this(), response = std::move(response)]() mutable {
      me->gateway_.AddFields(me->request_, response);
      me->reply_(std::move(response));
    });
  }
  gateway_.AddFields(request_, response);
  reply_(std::move(response));
}

Gateway::Gateway(const GatewayParts& parts, EventLoop& loop)
    : loops_(parts.loops),
      clock_(parts.clock),
      loop_(loop),
      authenticator_(parts.auth),
      documents_(std::make_shared<DocumentPool>()),
      random_state_(parts.random.Next()) {
  for (const Service& service : parts.services) {
    for (const Operation& operation : service.operations) {
      const Target target{&service, &operation};
      targets_.emplace(fmt::format("{}.{}", service.target_prefix, operation.name), target);
      if (service.query.version.empty()) continue;
      targets_.emplace(fmt::format("{}.{}", service.query.version, operation.name), target);
    }
  }
}

Gateway::~Gateway() = default;

void Gateway::Serve(HttpRequest request, Reply reply) {
  Check(std::make_shared<CallInWork>(*this, std::move(request), std::move(reply)));
}

// What can be said without the body: browsers, methods, content types.
void Gateway::Check(const std::shared_ptr<CallInWork>& call) {
  const HttpRequest& request = call->request();
  const std::string_view content_type = MediaType(request.Find("content-type"));
  const std::optional<Wire> wire = WireOf(content_type);
  call->wire = wire.value_or(Wire::kJson11);
  if (request.problem != HttpProblem::kNone) return call->Fail(ErrorOf(request.problem));
  if (request.method == "OPTIONS" && !request.Find("origin").empty()) return call->Send(Preflight(request));
  if (request.method != "POST") return call->Send(AccessDenied());
  if (wire == Wire::kQuery) (void)call->Unpack();  // the operation's name is in there
  const std::string name = OperationName(request, call->wire, call->body());
  call->target = FindTarget(name);
  if (request.body.empty()) {
    call->wire = wire.value_or(Wire::kCbor11);
    return call->Fail({call->target != nullptr ? "SerializationException" : "UnknownOperationException", ""});
  }
  if (content_type == kPlainJson || (wire && Takes(name, call->target, *wire))) return CheckBody(call, content_type);
  call->Send(request.Find("x-amz-target").empty() ? AccessDenied() : UnknownOperationXml());
}

void Gateway::CheckBody(const std::shared_ptr<CallInWork>& call, std::string_view content_type) {
  const bool parsed = call->Parse();
  if (content_type == kPlainJson) {
    return call->Send(parsed ? CoralError("UnknownOperationException", 404)
                             : CoralError("SerializationException", 400));
  }
  if (!parsed) return call->Fail({"SerializationException", ""});
  if (call->target == nullptr) return call->Fail({"UnknownOperationException", ""});
  Authenticate(call, *call->target);
}

void Gateway::Authenticate(const std::shared_ptr<CallInWork>& call, const Target& target) {
  auto caller = authenticator_.Check(call->request(), target.service->signing_name, clock_.WallMs() / 1'000);
  if (!caller) return call->Fail(std::move(caller.error()));
  call->set_caller(std::move(*caller));
  const api::Shape& shape = target.operation->input();
  if (auto wrong = api::CheckTypes(call->input(), shape)) return call->Fail(std::move(*wrong));
  if (call->input().kind() != api::Kind::kMap) return call->Fail({"SerializationException", ""});
  if (auto wrong = api::CheckConstraints(call->input(), shape)) return call->Fail(std::move(*wrong));
  Run(call, target);
}

void Gateway::Run(const std::shared_ptr<CallInWork>& call, const Target& target) {
  if (target.operation->thread == OperationThread::kLoop) return target.operation->run(call);
  loops_.RunBlocking([call, operation = target.operation] { operation->run(call); });
}

const Gateway::Target* Gateway::FindTarget(const std::string& name) const {
  const auto found = targets_.find(name);
  return found == targets_.end() ? nullptr : &found->second;
}

// Kinesis' own ways of writing are read before it is known what the request is for.
bool Gateway::Takes(const std::string& name, const Target* target, Wire wire) {
  if (target == nullptr) return wire <= Wire::kCbor11 || !name.empty();
  return std::ranges::find(target->service->wires, wire) != target->service->wires.end();
}

// What every response carries.
void Gateway::AddFields(const HttpRequest& request, HttpResponse& response) {
  const std::int64_t now_s = clock_.WallMs() / 1'000;
  if (now_s != date_s_) {
    date_s_ = now_s;
    date_ = api::FormatHttpDate(now_s);
  }
  const std::uint64_t high = Random();
  const std::uint64_t low = Random();
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;  // with the 4 below: a random UUID (RFC 9562)
  const std::uint64_t marked = (low >> 2) | kVariant;
  std::array<std::uint64_t, kId2Bytes / sizeof(std::uint64_t)> noise{};
  for (std::uint64_t& word : noise) word = Random();
  fmt::basic_memory_buffer<char, 64> id;
  fmt::format_to(std::back_inserter(id), "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                 high & 0xfff, marked >> 48, marked & 0xffff'ffff'ffff);
  response.fields.Add("x-amzn-RequestId", {id.data(), id.size()});
  id2_.clear();
  protocol::AppendBase64(id2_, {reinterpret_cast<const char*>(noise.data()), sizeof(noise)});
  response.fields.Add("x-amz-id-2", id2_);
  response.fields.Add("Date", date_);
  if (request.Find("origin").empty()) return;
  response.fields.Add("Access-Control-Allow-Origin", "*");
  if (request.method == "OPTIONS") return;
  response.fields.Add("Access-Control-Expose-Headers",
                      "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,x-amzn-ErrorMessage,Date");
}

// SplitMix64: ids must differ, not be secret.
std::uint64_t Gateway::Random() {
  std::uint64_t mixed = random_state_ += 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace sluice::broker::aws
