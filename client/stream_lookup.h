// Streams as the broker describes them: turned from protocol messages into the SDK's types, and looked up.
//
// Threads: functions on values; LookUp blocks, FindOutWhatBecame does not and calls back on the client's own thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/backoff.h"
#include "client/connection.h"
#include "protocol/hash_key.h"
#include "sluice/types.h"

namespace sluice::native {
class LostRange;
class Retention;
class StreamInfo;
}  // namespace sluice::native

namespace sluice::client {

LostRange LostRangeOf(const native::LostRange& range);
StreamDescription DescriptionOf(const native::StreamInfo& info);
void SetRetention(const Retention& from, native::Retention& to);

/// The ranges of the stream's open shards.
Result<protocol::ShardMap> ShardMapOf(const StreamDescription& description);

Result<StreamDescription> LookUp(Connection& connection, std::string_view name);

/// After the broker said that stream `id` is not there: `done` gets kNotFound with what has become of the name
/// (deleted, or created anew).
void FindOutWhatBecame(Connection& connection, const std::string& name, std::uint32_t id,
                       std::move_only_function<void(Status)> done);

/// Asks again what a stream looks like, until the broker has answered.
///
/// Threads: the client's own; Done is called there, after each request that was not under way already. kNotFound where
/// the stream is not there any more, other errors that are not retriable.
class StreamRefresher {
 public:
  using Done = std::function<void(Result<StreamDescription>)>;
  /// `connection` outlives the object.
  StreamRefresher(Connection& connection, Done done);

  /// Before the first Refresh.
  void SetStream(std::string name, std::uint32_t id) {
    name_ = std::move(name);
    id_ = id;
  }
  void Refresh();
  /// After a pause that grows until Succeeded.
  void RefreshLater();
  /// The answer was of use.
  void Succeeded() { backoff_.Reset(); }
  void Stop();

 private:
  void Ask();
  void AskLater();
  void Answered(Result<StreamDescription> description);

  Connection& connection_;
  std::string name_;
  std::uint32_t id_ = 0;
  const Done done_;
  bool under_way_ = false;
  bool stopped_ = false;
  Backoff backoff_;
  boost::asio::steady_timer timer_;
};

}  // namespace sluice::client
