// The operations of the test service.
#include "tests/broker/aws/test_service.h"

#include <string>
#include <utility>

namespace sluice::broker::aws {
namespace {

using protocol::aws::Shape;

const Shape& TextShape() {
  static const Shape shape = Shape::Text().Length(1, 20'000'000);
  return shape;
}

const Shape& CountShape() {
  static const Shape shape = Shape::Integer().Range(1, 10);
  return shape;
}

const Shape& Input() {
  static const Shape shape =
      Shape::Structure().Member("Text", TextShape(), protocol::aws::Required::kYes).Member("Count", CountShape());
  return shape;
}

const Shape& NoInput() {
  static const Shape shape = Shape::Structure();
  return shape;
}

void Echo(const CallPtr& call) {
  const auto writer = call->NewWriter();
  writer->BeginMap();
  writer->Name("Text").Text(call->input().Find("Text")->text());
  writer->Name("Account").Text(call->caller().account);
  writer->Name("Region").Text(call->caller().region);
  writer->EndMap();
  call->Answer(writer->Take());
}

void BeginStream(HeldStreams& held, const CallPtr& call) {
  auto one = std::make_shared<HeldStreams::One>();
  one->call = call;
  one->stream = call->BeginStream("text/plain", [one](StreamNews news) { one->news.push_back(news); });
  const std::lock_guard lock(held.mutex);
  held.streams.push_back(std::move(one));
}

}  // namespace

std::vector<Service> TestServices(HeldCalls& held, HeldStreams* streams) {
  Service service{.target_prefix = "Test_1", .signing_name = "test", .operations = {}};
  service.operations.push_back({.name = "Echo", .input = Input, .run = Echo});
  service.operations.push_back(
      {.name = "EchoBlocking", .input = Input, .run = Echo, .thread = OperationThread::kBlocking});
  service.operations.push_back(
      {.name = "Empty", .input = NoInput, .run = [](const CallPtr& call) { call->Answer(""); }});
  service.operations.push_back({.name = "Refuse", .input = NoInput, .run = [](const CallPtr& call) {
                                  call->Fail({"ResourceNotFoundException", "No such thing."});
                                }});
  service.operations.push_back(
      {.name = "Hold", .input = NoInput, .run = [&held](CallPtr call) { held.Add(std::move(call)); }});
  if (streams != nullptr) {
    service.operations.push_back(
        {.name = "Stream", .input = NoInput, .run = [streams](const CallPtr& call) { BeginStream(*streams, call); }});
  }
  Service newer{.target_prefix = "Newer_2",
                .signing_name = "newer",
                .operations = {},
                .wires = {Wire::kJson10, Wire::kRpcCbor, Wire::kQuery},
                .query = {.version = "2010-08-01", .xml_namespace = "http://newer/"},
                .takes_gzip = true};
  newer.operations.push_back({.name = "Echo", .input = Input, .run = Echo});
  newer.operations.push_back({.name = "Swallow", .input = Input, .run = [](const CallPtr& call) { call->Answer(""); }});
  newer.operations.push_back({.name = "Refuse", .input = NoInput, .run = [](const CallPtr& call) {
                                call->Fail({"com.newer#TooMuch", "1 < 2 & 3"});
                              }});
  std::vector<Service> services;
  services.push_back(std::move(service));
  services.push_back(std::move(newer));
  return services;
}

}  // namespace sluice::broker::aws
