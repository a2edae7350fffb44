// Resource policies, for the tests of the operations that put, tell and delete them.
#pragma once

#include <string>
#include <string_view>

#include "tests/broker/kinesis/consumers_fixture.h"

namespace sluice::broker::kinesis {

inline const std::string kOrders(kOrdersArn);
/// Of another account of the broker than the tests' caller.
inline const aws::Caller kGuest{.account = "111111111111", .region = "us-east-1", .access_key = "AKIAGUEST"};

inline std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

inline std::string Statement(std::string_view effect, std::string_view principal, std::string_view action,
                             std::string_view resource = kOrdersArn) {
  return fmt::format(R"({{"Effect":"{}","Principal":{},"Action":{},"Resource":"{}"}})", effect, principal, action,
                     resource);
}

inline std::string ResourceInput(std::string_view arn) { return fmt::format(R"({{"ResourceARN":"{}"}})", arn); }

inline Reply PutPolicy(KinesisCore& core, std::string_view policy, std::string_view resource = kOrdersArn) {
  return core.Run("PutResourcePolicy",
                  fmt::format(R"({{"ResourceARN":"{}","Policy":"{}"}})", resource, Escaped(policy)));
}

/// A policy that is taken.
inline void SetPolicy(KinesisCore& core, const std::string& statements, std::string_view resource = kOrdersArn) {
  const Reply reply = PutPolicy(core, R"({"Version":"2012-10-17","Statement":[)" + statements + "]}", resource);
  INFO(reply.message());
  REQUIRE(!reply.error);
  CHECK(reply.body.empty());
}

}  // namespace sluice::broker::kinesis
