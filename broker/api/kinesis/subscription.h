// One live subscription of SubscribeToShard: reads a shard's records as they become durable and writes them as events
// until its time is over, its client has gone, the shard is closed and at its end, or something else ends it.
//
// Life: reading (a long poll of the read service, at most idle_ms long) -> writing (an event; large ones are made on
// the blocking pool) -> reading, or waiting for the client to take what was written. It holds itself by what it waits
// for. No timer of its own: the long poll's end tells that it is time for an idle event, or the end.
//
// Threads: its call's loop, but End from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/api/kinesis/consumers.h"
#include "broker/api/kinesis/context.h"
#include "broker/api/kinesis/record_page.h"
#include "broker/api/kinesis/subscriptions.h"
#include "broker/read_service.h"

namespace sluice::broker::kinesis {

class Subscription final : public std::enable_shared_from_this<Subscription> {
 public:
  struct Target {
    Consumer consumer;
    ShardIndex shard;
    ReadFrom from;
  };
  Subscription(const Context& context, aws::CallPtr call, Target target);

  /// Answers the call: with a stream, or with an error where it may not begin.
  void Begin();

 private:
  struct Page;
  struct Event {
    std::string message;
    Offset next;        // the first record behind it
    bool over = false;  // the shard is closed, and this is its end
  };

  std::optional<protocol::aws::ApiError> Enter();
  void OnNews(aws::StreamNews news);
  void Read();
  void Take(Result<ReadAnswer> answer);
  void ReadFailed(const Status& why);
  void WritePage(const std::shared_ptr<Page>& page);
  Result<Event> MakeEvent(const Page& page) const;
  void Written(Result<Event> event);
  void FailWith(const protocol::aws::ApiError& error);
  void End();
  void Leave();
  std::int64_t NowMs() const { return context_.parts.clock.MonotonicNs() / 1'000'000; }

  const Context& context_;
  const aws::CallPtr call_;
  const Target target_;
  const Subscriptions::Key key_;
  Subscriptions::Ticket ticket_ = 0;
  std::int64_t end_ms_ = 0;
  ReadFrom from_;
  std::shared_ptr<aws::AnswerStream> stream_;  // null: not begun, or over
  bool waiting_for_room_ = false;
};

}  // namespace sluice::broker::kinesis
