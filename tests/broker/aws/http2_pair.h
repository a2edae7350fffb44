// A session of HTTP/2 and its client, without a socket between them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "tests/broker/aws/http2_peer.h"
#include "tests/broker/aws/session_helpers.h"
#include "tests/catch.h"

namespace sluice::broker::aws {

struct Http2Pair {
  explicit Http2Pair(HttpLimits limits = {}, std::shared_ptr<BodyMemory> memory = Memory(),
                     Http2Peer::Windows windows = Http2Peer::Windows::kOpened)
      : session(NewHttp2Session(limits, std::move(memory))), client(windows) {
    Exchange();
  }
  /// Until neither has something to say.
  void Exchange() {
    bool more = true;
    while (more) {
      const std::string of_client = client.Output();
      session->Receive(of_client, now_ms);
      const std::string of_session = Output(*session);
      REQUIRE(client.Receive(of_session));
      more = !of_client.empty() || !of_session.empty();
    }
  }

  std::unique_ptr<HttpSession> session;
  Http2Peer client;
  std::int64_t now_ms = 0;
};

}  // namespace sluice::broker::aws
