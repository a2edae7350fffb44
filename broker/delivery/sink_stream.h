// SinkStream: an ObjectSink as Arrow sees one. For the .cc files of columnar writers; one thread at a time.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string_view>

#include "broker/delivery/object_writer.h"

namespace sluice::delivery {

/// The sink's own error is kept, since Arrow's status has no room for it.
class SinkStream : public arrow::io::OutputStream {
 public:
  explicit SinkStream(ObjectSink& sink) : sink_(sink) { set_mode(arrow::io::FileMode::WRITE); }

  arrow::Status Write(const void* data, std::int64_t bytes) override {
    if (!error_.ok()) return arrow::Status::IOError(error_.message());
    error_ = sink_.Write(std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(bytes)));
    if (!error_.ok()) return arrow::Status::IOError(error_.message());
    written_ += bytes;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return written_; }

  const Status& error() const { return error_; }
  std::uint64_t written() const { return static_cast<std::uint64_t>(written_); }

 private:
  ObjectSink& sink_;
  Status error_;
  std::int64_t written_ = 0;
  bool closed_ = false;
};

}  // namespace sluice::delivery
