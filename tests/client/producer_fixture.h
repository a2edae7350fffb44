// What the producer's tests share: options without patience, and scripts that treat single appends in their own way.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/producer.h"
#include "tests/catch.h"
#include "tests/client/fake_broker.h"

namespace sluice::test {

using protocol::wire::Operation;
using namespace std::chrono_literals;

inline ProducerOptions OptionsFor(const FakeBroker& broker) {
  ProducerOptions options;
  options.client.address = broker.address();
  options.client.retry_backoff_min = 1ms;
  options.client.retry_backoff_max = 5ms;
  options.linger = 0us;
  return options;
}

inline std::unique_ptr<Producer> OpenProducer(ProducerOptions options) {
  auto producer = Producer::Open("orders", std::move(options));
  INFO((producer ? "" : producer.error().ToString()));
  REQUIRE(producer.has_value());
  return std::move(*producer);
}

inline bool Mentions(const Status& status, std::string_view text) {
  return status.message().find(text) != std::string::npos;
}

inline std::vector<std::string> Numbers(int count) {
  std::vector<std::string> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

// Counts the appends and treats some of them in its own way: true where it has dealt with the message.
using Act = std::function<bool(FakeBroker&, const PeerPtr&, const Message&)>;
inline void ScriptAppends(FakeBroker& broker, std::map<int, Act> acts) {
  broker.SetScript([&broker, count = std::make_shared<std::atomic<int>>(0), acts = std::move(acts)](
                       const PeerPtr& peer, const Message& message) {
    if (message.header.operation != Operation::kAppend) return false;
    const auto act = acts.find((*count)++);
    return act != acts.end() && act->second(broker, peer, message);
  });
}

inline bool BreakBefore(FakeBroker&, const PeerPtr& peer, const Message&) {
  peer->Break();
  return true;
}
inline bool BreakAfterStoring(FakeBroker& broker, const PeerPtr& peer, const Message& message) {
  broker.Serve(std::make_shared<Peer>(-1), message);  // the answer goes nowhere
  peer->Break();
  return true;
}
inline Act RefuseWith(Code code) {
  return [code](FakeBroker&, const PeerPtr& peer, const Message& message) {
    peer->Refuse(message, code, "as the test wants it");
    return true;
  };
}

}  // namespace sluice::test
