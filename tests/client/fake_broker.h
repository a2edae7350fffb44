// A small broker for tests of the client: one stream in memory, on a loopback socket, whose answers a test can script.
//
// Without a script it behaves as a broker does: Hello, DescribeStream, InitProducer, Append (with the idempotence rule)
// and Read. A script sees each message first and may answer it, keep it for later, break the connection, or let it
// pass.
//
// Threads: one per connection; the script runs there. Everything may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "protocol/hash_key.h"
#include "protocol/native/data_messages.h"
#include "protocol/native/wire.h"
#include "sluice/status.h"

namespace sluice::test {

struct Message {
  protocol::wire::MessageHeader header;
  std::string control;
  std::string body;
};

/// One client's connection.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}
  ~Peer();

  void Answer(const Message& request, std::string_view control, std::string_view body = {});
  void Refuse(const Message& request, Code code, std::string_view message);
  void SendRaw(std::string_view bytes);
  /// Ends the connection in both directions.
  void Break();
  /// False at the end of the connection.
  bool Receive(Message& message);

 private:
  bool ReceiveExactly(char* to, std::size_t size);

  const int socket_;
  std::mutex mutex_;  // one message at a time
};
using PeerPtr = std::shared_ptr<Peer>;

class FakeBroker {
 public:
  /// True: the script has dealt with the message; false: the broker answers as usual.
  using Script = std::function<bool(const PeerPtr&, const Message&)>;

  explicit FakeBroker(std::uint32_t shards = 1);
  ~FakeBroker();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void SetScript(Script script);
  /// Answers as usual; for messages that a script kept.
  void Serve(const PeerPtr& peer, const Message& message);
  /// Stops listening and breaks all connections; Listen takes the same port again.
  void GoAway();
  void ComeBack();

  /// Values of the records that are stored in a shard, in order.
  std::vector<std::string> Values(std::uint32_t shard);
  /// Stores a batch as if a producer had sent it.
  void Store(std::uint32_t shard, const std::vector<std::string>& values);
  /// Deletes the stream; with `anew`, makes an empty one of the same name.
  void DeleteStream(bool anew);
  /// Forgets all producers, as if their state had expired.
  void ForgetProducers();
  /// Closes a shard; two others, with the next numbers, have a half of its hash keys each.
  void Split(std::uint32_t shard);
  /// Closes two neighbours, the lower one first; one other has their hash keys.
  void Merge(std::uint32_t lower, std::uint32_t upper);
  /// Raises the epoch of the producer, as a newer one of the same name does.
  void Fence();

  /// Waits until at least `count` messages of `operation` have come. False after ten seconds.
  bool WaitForMessages(protocol::wire::Operation operation, std::size_t count);
  std::size_t messages(protocol::wire::Operation operation);
  std::size_t connections();

 private:
  struct StoredBatch {
    std::uint64_t base_offset = 0;
    std::uint32_t records = 0;
    std::string bytes;
    std::int64_t producer_id = -1;
    std::int32_t base_sequence = -1;
  };
  struct ShardState {
    protocol::ShardRange range;
    std::vector<std::uint32_t> parents;
    bool closed = false;
  };
  struct WaitingRead {
    PeerPtr peer;
    Message message;
  };
  using ProducerKey = std::pair<std::uint32_t, std::int64_t>;  // shard, producer

  void Listen();
  void Accept(int listener);
  void Talk(const PeerPtr& peer);
  void Append(const PeerPtr& peer, const Message& message);
  void AddChild(protocol::HashKey first, protocol::HashKey last, std::vector<std::uint32_t> parents);
  bool Read(const PeerPtr& peer, const Message& message);
  void Describe(const PeerPtr& peer, const Message& message);
  void InitProducer(const PeerPtr& peer, const Message& message);
  std::uint64_t StoreLocked(std::uint32_t shard, StoredBatch batch);
  std::uint64_t EndOffset(std::uint32_t shard) const;
  void AnswerWaitingReads();

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Script script_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::vector<std::thread> threads_;
  std::vector<std::weak_ptr<Peer>> peers_;
  std::map<protocol::wire::Operation, std::size_t> messages_;
  std::uint32_t stream_id_ = 7;  // 0: deleted
  std::vector<std::vector<StoredBatch>> shards_;
  std::vector<ShardState> states_;  // of shards_
  std::map<ProducerKey, std::int32_t> next_sequence_;
  std::int64_t producer_id_ = 100;
  std::int16_t producer_epoch_ = 0;
  std::vector<WaitingRead> waiting_reads_;
};

}  // namespace sluice::test
