// One operation of an AWS API, as the doors run it: its name, what its input must look like, and what it does.
//
// A service (Kinesis, Firehose) is a table of operations. The AWS port reads requests, runs the checks that all
// services share in AWS's order (gateway.h), and calls the operation with an input that has passed them. An operation
// knows nothing of HTTP, encodings or signatures.
//
// Threads: Operation::run is called on the connection's loop, or on the blocking pool where `thread` says so. The call
// is answered exactly once, from the thread it was given on; a call that is dropped unanswered is a bug.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/aws/wire.h"
#include "broker/loop/event_loops.h"
#include "protocol/aws/document.h"
#include "protocol/aws/error.h"
#include "protocol/aws/shape.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::aws {

/// Whose request it is, and where. An API decides what that means for its resources.
struct Caller {
  std::string account;     // twelve digits
  std::string region;      // of the credential scope: "us-east-1"
  std::string access_key;  // empty where signatures are not verified and there was none
};

/// What becomes of an answer that is written piece by piece.
enum class StreamNews : std::uint8_t {
  kRoom,      // it may be written again: has_room() was false and is true
  kGone,      // nobody listens any more, or has not for too long; what is written is dropped
  kStopping,  // the port is stopping: End it soon
};
using StreamObserver = std::move_only_function<void(StreamNews)>;

/// An answer whose body is written piece by piece, for as long as its client listens. The call's loop only.
class AnswerStream {
 public:
  virtual ~AnswerStream() = default;
  /// Goes out behind what was written before. Never calls the observer itself.
  virtual void Write(std::string piece) = 0;
  /// Nothing follows. The observer is not called again, and is let go.
  virtual void End() = 0;
  /// False while the client has not taken enough of what was written: whoever writes on fills memory.
  virtual bool has_room() const = 0;
};

/// One request that has passed the shared checks, until it is answered.
class Call {
 public:
  virtual ~Call() = default;

  virtual const Caller& caller() const = 0;
  /// Valid as long as the call.
  virtual protocol::aws::Value input() const = 0;
  virtual EventLoop& loop() const = 0;  // the connection's
  /// The media type of the client's encoding: "application/x-amz-json-1.1".
  virtual std::string_view content_type() const = 0;
  /// A writer in the client's encoding, for the answer's body.
  virtual std::unique_ptr<protocol::aws::Writer> NewWriter() const = 0;

  /// Status 200 with this body; empty: no body, as the operations without output answer.
  virtual void Answer(std::string body) = 0;
  virtual void Fail(protocol::aws::ApiError error) = 0;
  /// In place of Answer, and on the loop: status 200 with this content type, and a body that goes on until its End,
  /// which always has to come, but for kGone. `observer` is called on the loop, not before this returns.
  virtual std::shared_ptr<AnswerStream> BeginStream(std::string_view content_type, StreamObserver observer) = 0;
};

using CallPtr = std::shared_ptr<Call>;

enum class OperationThread : std::uint8_t { kLoop, kBlocking };

struct Operation {
  std::string_view name;  // "PutRecords"
  const protocol::aws::Shape& (*input)();
  std::function<void(CallPtr)> run;
  OperationThread thread = OperationThread::kLoop;
};

/// Of services that are called by forms (Wire::kQuery).
struct QueryNames {
  std::string_view version;  // "2010-08-01"
  std::string_view xml_namespace;
};

/// What one X-Amz-Target prefix stands for.
struct Service {
  std::string_view target_prefix;  // "Kinesis_20131202"
  std::string_view signing_name;   // "kinesis"
  std::vector<Operation> operations;
  std::vector<Wire> wires = {Wire::kJson11, Wire::kCbor11};
  QueryNames query = {};
  bool takes_gzip = false;  // bodies with Content-Encoding: gzip, of 1 MiB at most when they are unpacked
};

}  // namespace sluice::broker::aws
