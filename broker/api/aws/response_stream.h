// An answer that is written piece by piece, on its way from the operation to the connection that carries it.
//
// Life: made with its response (gateway.cc), attached once by the connection; ended by the operation, or gone with the
// connection or the stream of HTTP/2. After either it refers to nobody.
//
// Threads: the connection's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "broker/api/aws/operation.h"

namespace sluice::broker::aws {

/// Who sends the pieces: the connection.
class StreamCarrier {
 public:
  virtual ~StreamCarrier() = default;
  virtual void WriteStream(std::uint64_t id, std::string piece) = 0;
  virtual void EndStream(std::uint64_t id) = 0;
  virtual bool StreamHasRoom(std::uint64_t id) const = 0;
};

class ResponseStream final : public AnswerStream {
 public:
  explicit ResponseStream(StreamObserver observer) : observer_(std::move(observer)) {}

  void Write(std::string piece) override {
    if (carrier_ && !piece.empty()) carrier_->WriteStream(id_, std::move(piece));
  }
  void End() override {
    observer_ = nullptr;
    ended_ = true;
    if (const auto carrier = std::exchange(carrier_, nullptr)) carrier->EndStream(id_);
  }
  bool has_room() const override { return !carrier_ || carrier_->StreamHasRoom(id_); }

  void Attach(std::shared_ptr<StreamCarrier> carrier, std::uint64_t id) {
    carrier_ = std::move(carrier);
    id_ = id;
  }
  /// To the operation. kGone is the last one.
  void Tell(StreamNews news) {
    if (!observer_) return;
    if (news == StreamNews::kGone) {
      carrier_ = nullptr;
      return std::exchange(observer_, nullptr)(news);
    }
    // An observer that ends the stream must not be destroyed while it runs.
    StreamObserver running = std::exchange(observer_, nullptr);
    running(news);
    if (!ended_) observer_ = std::move(running);
  }

 private:
  StreamObserver observer_;
  std::shared_ptr<StreamCarrier> carrier_;  // null: not attached, ended or gone
  std::uint64_t id_ = 0;
  bool ended_ = false;
};

}  // namespace sluice::broker::aws
