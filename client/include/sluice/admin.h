// Streams and delivery streams by hand: create, list, describe, change, delete.
//
// Threads: an AdminClient may be shared; calls block until the broker has answered or the request timeout has passed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/delivery_action.h"
#include "sluice/status.h"
#include "sluice/types.h"

namespace sluice {

class AdminClient {
 public:
  /// Connects; kUnavailable where nothing answers at the address.
  static Result<std::unique_ptr<AdminClient>> Connect(ClientOptions options);
  ~AdminClient();

  Result<StreamDescription> CreateStream(std::string_view name, std::uint32_t shards, Retention retention = {});
  Result<std::vector<StreamDescription>> ListStreams();
  Result<StreamDescription> DescribeStream(std::string_view name);
  Result<StreamDescription> SetRetention(std::string_view name, Retention retention);
  Status DeleteStream(std::string_view name);
  /// The shard goes on without the records that DescribeStream shows as lost: it takes records again, and reads and
  /// deliveries pass over them. Gives what was accepted now; kFailedPrecondition where there is nothing to accept.
  Result<std::vector<LostRange>> AcceptLoss(std::string_view name, std::uint32_t shard);

  // The three ways to change a stream's shards. Each gives the stream as it is then. kUnavailable: another such change
  // of the stream is under way; kFailedPrecondition: a shard was split or merged before.
  /// Two shards take over; the upper one begins at the hash key `at` (decimal), without it in the middle.
  Result<StreamDescription> SplitShard(std::string_view name, std::uint32_t shard,
                                       std::optional<std::string_view> at = {});
  /// One shard takes over from two whose hash keys touch; kInvalidArgument where they do not.
  Result<StreamDescription> MergeShards(std::string_view name, std::uint32_t shard, std::uint32_t adjacent);
  /// `shards` (1 to 10,000) open shards with equal ranges, by splits and merges.
  Result<StreamDescription> ResizeStream(std::string_view name, std::uint32_t shards);

  /// The consumer groups of a stream, or of all streams; without their members and shards.
  Result<std::vector<GroupDescription>> ListGroups(std::string_view stream = {});
  Result<GroupDescription> DescribeGroup(std::string_view stream, std::string_view group);
  /// With its checkpoints. kFailedPrecondition while it has members.
  Status DeleteGroup(std::string_view stream, std::string_view group);
  /// Where a group without members goes on: in all shards, or in one, which an offset needs. kFailedPrecondition while
  /// it has members; kOutOfRange for an offset that is not there.
  Result<GroupDescription> ResetGroup(std::string_view stream, std::string_view group, Position to,
                                      std::optional<std::uint32_t> shard = {});

  /// New records are stored encrypted, with a new data key, also where the stream is encrypted already. `key`: one of
  /// the broker's key file; any other text, or none, is its current one. kFailedPrecondition: the broker has no keys.
  Result<StreamDescription> EncryptStream(std::string_view name, std::string_view key = {});
  /// New records are stored as they come; encrypted ones stay so, and are read as before.
  Result<StreamDescription> DecryptStream(std::string_view name);

  /// `document` is the delivery stream's file for kCreate and kCheck, `document_name` its name in error messages.
  /// kFlush answers within seconds: where "flush" in the answer is not "done", call again with its "number" as the
  /// document.
  Result<DeliveryAnswer> Delivery(DeliveryAction action, std::string_view name, std::string_view document = {},
                                  std::string_view document_name = {});

 private:
  struct Impl;
  explicit AdminClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
