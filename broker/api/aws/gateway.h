// From a request to the operation that it names, and from the operation's answer to the response: the checks that all
// services share, in AWS's order (docs/aws.md lists them). One gateway for each event loop.
//
// Threads: its loop's; answers come from any thread and are given on the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/api/aws/authenticator.h"
#include "broker/api/aws/http_message.h"
#include "broker/api/aws/operation.h"
#include "broker/loop/event_loops.h"
#include "protocol/aws/writer.h"
#include "storage/env/env.h"

namespace sluice::broker::aws {

class DocumentPool;

struct GatewayParts {
  EventLoops& loops;
  storage::Clock& clock;
  storage::Random& random;  // seeds the ids of requests
  const std::vector<Service>& services;
  const AuthOptions& auth;
};

class Gateway {
 public:
  /// Called once for each request, on the loop. What its response's stream is told comes later.
  using Reply = std::move_only_function<void(HttpResponse)>;

  /// What `parts` refer to outlives it.
  Gateway(const GatewayParts& parts, EventLoop& loop);
  ~Gateway();

  void Serve(HttpRequest request, Reply reply);

 private:
  class CallInWork;
  struct Target {
    const Service* service;
    const Operation* operation;
  };

  void Check(const std::shared_ptr<CallInWork>& call);
  void CheckBody(const std::shared_ptr<CallInWork>& call, std::string_view content_type);
  void Authenticate(const std::shared_ptr<CallInWork>& call, const Target& target);
  void Run(const std::shared_ptr<CallInWork>& call, const Target& target);
  const Target* FindTarget(const std::string& name) const;
  static bool Takes(const std::string& name, const Target* target, Wire wire);
  void AddFields(const HttpRequest& request, HttpResponse& response);
  std::uint64_t Random();

  EventLoops& loops_;
  storage::Clock& clock_;
  EventLoop& loop_;
  std::unordered_map<std::string, Target> targets_;  // by X-Amz-Target
  Authenticator authenticator_;
  std::shared_ptr<DocumentPool> documents_;  // calls in work share it
  std::uint64_t random_state_;
  std::int64_t date_s_ = -1;
  std::string date_;  // of date_s_
  std::string id2_;   // the last one; kept for its memory
};

}  // namespace sluice::broker::aws
