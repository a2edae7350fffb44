// Arrow's side of a sink.
#include "broker/delivery/sink_stream.h"

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <string_view>
#include <utility>

namespace sluice::delivery {

class SinkStream::Stream : public arrow::io::OutputStream {
 public:
  Stream(ObjectSink& sink, std::shared_ptr<State> state) : sink_(sink), state_(std::move(state)) {
    set_mode(arrow::io::FileMode::WRITE);
  }

  arrow::Status Write(const void* data, std::int64_t bytes) override {
    if (!state_->error.ok()) return arrow::Status::IOError(state_->error.message());
    state_->error = sink_.Write(std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(bytes)));
    if (!state_->error.ok()) return arrow::Status::IOError(state_->error.message());
    state_->written += static_cast<std::uint64_t>(bytes);
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return static_cast<std::int64_t>(state_->written); }

 private:
  ObjectSink& sink_;
  std::shared_ptr<State> state_;
  bool closed_ = false;
};

SinkStream::SinkStream(ObjectSink& sink)
    : state_(std::make_shared<State>()), stream_(std::make_shared<Stream>(sink, state_)) {}

}  // namespace sluice::delivery
