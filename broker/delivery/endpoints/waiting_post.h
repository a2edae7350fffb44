// A request to an endpoint that may take minutes to answer, without a thread of the delivery that waits for it: others
// have their turns meanwhile.
//
// It is made on a thread of its own. Who sends it waits for a moment, which is enough for most, and then comes back for
// the answer.
//
// Calls come one at a time; `stop` is called by the same threads. A crash leaves nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "broker/delivery/http_client.h"
#include "sluice/status.h"

namespace sluice::delivery {

class WaitingPost {
 public:
  /// What is sent. `post` names neither body nor signer: they are these.
  struct Request {
    std::string key;  // the same for as long as it is the same attempt
    HttpPost post;
    std::string body;
    std::optional<AwsSigner> signer = {};
  };

  /// A call ends soon after `stop` gives true, and cuts the request off. An empty `ca_file`: the system's authorities.
  WaitingPost(std::string ca_file, std::function<bool()> stop);
  /// Cuts off what is under way, and waits for that: a second or so.
  ~WaitingPost();
  WaitingPost(const WaitingPost&) = delete;
  WaitingPost& operator=(const WaitingPost&) = delete;

  /// As HttpClient's; before the first Send.
  void KeepCookies() { client_.KeepCookies(); }
  /// The answer, as HttpClient::Post gives it. nullopt: there is none yet, call it again after ask_again_ms() with the
  /// same key. Another key cuts off what is under way.
  std::optional<Result<HttpAnswer>> Send(Request request);
  std::int64_t ask_again_ms() const { return ask_again_ms_; }

 private:
  void Start(Request request);
  void CutOff();
  bool Wait(std::int64_t wait_ms);

  const std::function<bool()> stop_;
  std::atomic<bool> cut_off_ = false;
  HttpClient client_;   // while thread_ runs, its; else the caller's
  Request request_;     // the same
  std::thread thread_;  // joinable: a request is under way, or its answer is not taken yet
  std::int64_t ask_again_ms_ = 0;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::optional<Result<HttpAnswer>> answer_;  // guarded by mutex_
};

}  // namespace sluice::delivery
