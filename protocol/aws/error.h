// An error of an AWS API: the type that SDKs turn into an exception, and the message that people read.
#pragma once

#include <string>
#include <utility>

namespace sluice::protocol::aws {

struct ApiError {
  std::string type;     // "ResourceNotFoundException"
  std::string message;  // empty: the answer has none
  int http_status = 400;
  std::string body{};  // not empty: the whole answer, as the client reads it, where an error has more than these

  ApiError(std::string type_of, std::string text, int status = 400)
      : type(std::move(type_of)), message(std::move(text)), http_status(status) {}
  friend bool operator==(const ApiError&, const ApiError&) = default;
};

}  // namespace sluice::protocol::aws
