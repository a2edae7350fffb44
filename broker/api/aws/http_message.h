// A request and its answer, whatever version of HTTP carries them. Values only, but for an answer's stream.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/api/aws/body_memory.h"
#include "broker/api/aws/http_fields.h"

namespace sluice::broker::aws {

class ResponseStream;

/// Why a request came without all of itself; it is answered all the same.
enum class HttpProblem : std::uint8_t {
  kNone,
  kMalformed,  // of HTTP/1.1: what came is no request
  kTimedOut,   // of HTTP/1.1: the rest did not come in time
  kHeaderTooLarge,
  kBodyTooLarge,
  kNoMemory
};

struct HttpRequest {
  std::string method;
  std::string path;   // of the target, as it came
  std::string query;  // behind the question mark
  HttpFields fields;  // names in lower case; "host" stands there in HTTP/2 too
  std::string body;   // its capacity is larger by Document::kPaddingBytes
  BodyShare share;
  HttpProblem problem = HttpProblem::kNone;

  /// The value of the first field of this (lower-case) name; empty where there is none.
  std::string_view Find(std::string_view name) const { return fields.Find(name); }
};

struct HttpResponse {
  int status = 200;
  HttpFields fields;  // without Content-Length and Connection
  std::string body;
  std::shared_ptr<ResponseStream> stream = nullptr;  // the body, where it comes piece by piece
};

}  // namespace sluice::broker::aws
