// What the tests of both HTTP sessions share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/api/aws/http_session.h"

namespace sluice::broker::aws {

/// All that is to be sent now.
inline std::string Output(HttpSession& session) {
  std::vector<std::string> pieces;
  std::size_t before = 0;
  do {
    before = pieces.size();
    session.TakeOutput(pieces, 1u << 20);
  } while (pieces.size() > before);
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

inline std::shared_ptr<BodyMemory> Memory(std::uint64_t bytes_max = 1u << 30) {
  return std::make_shared<BodyMemory>(bytes_max);
}

}  // namespace sluice::broker::aws
