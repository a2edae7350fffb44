// SinkStream: an ObjectSink as Arrow sees one. Copies are of one stream; one thread at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "broker/delivery/object_writer.h"
#include "sluice/status.h"

namespace arrow::io {
class OutputStream;
}  // namespace arrow::io

namespace sluice::delivery {

class SinkStream {
 public:
  /// `sink` outlives what writes to the stream.
  explicit SinkStream(ObjectSink& sink);

  const std::shared_ptr<arrow::io::OutputStream>& stream() const { return stream_; }

  /// The sink's own error, since Arrow's status has no room for it. After one nothing is written.
  const Status& error() const { return state_->error; }
  std::uint64_t written() const { return state_->written; }

 private:
  struct State {
    Status error;
    std::uint64_t written = 0;
  };
  class Stream;

  std::shared_ptr<State> state_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
};

}  // namespace sluice::delivery
