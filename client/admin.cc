// One blocking call to the broker for each administrative operation.
#include "sluice/admin.h"

#include "client/connection.h"
#include "client/group_messages.h"
#include "client/stream_lookup.h"
#include "protocol/hash_key.h"
#include "protocol/native/native.pb.h"

namespace sluice {

using client::Answer;
using protocol::wire::Operation;

struct AdminClient::Impl {
  explicit Impl(ClientOptions options) : connection(std::make_shared<client::Connection>(io, std::move(options))) {}
  ~Impl() {
    io.RunAndWait([this] { connection->Close(); });
    io.Stop();
  }

  template <typename Response, typename Request>
  Result<Response> Call(Operation operation, const Request& request) {
    std::string control = request.SerializeAsString();
    const Result<Answer> answer = connection->CallAndWait({.operation = operation,
                                                           .control = std::move(control),
                                                           .body = nullptr,
                                                           .timeout = connection->options().request_timeout});
    if (!answer) return std::unexpected(answer.error());
    Response response;
    if (!response.ParseFromString(answer->control)) {
      return Error(Code::kCorruption,
                   "the answer to '" + std::string(protocol::wire::OperationName(operation)) + "' does not parse");
    }
    return response;
  }

  template <typename Request>
  Result<StreamDescription> CallForStream(Operation operation, const Request& request) {
    const auto info = Call<native::StreamInfo>(operation, request);
    if (!info) return std::unexpected(info.error());
    return client::DescriptionOf(*info);
  }

  client::IoThread io;
  std::shared_ptr<client::Connection> connection;
};

AdminClient::AdminClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminClient::~AdminClient() = default;

Result<std::unique_ptr<AdminClient>> AdminClient::Connect(ClientOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  const Status reached = impl->connection->Reach();
  if (!reached.ok()) return Error(reached);
  return std::unique_ptr<AdminClient>(new AdminClient(std::move(impl)));
}

Result<StreamDescription> AdminClient::CreateStream(std::string_view name, std::uint32_t shards, Retention retention) {
  native::CreateStreamRequest request;
  request.set_name(std::string(name));
  request.set_shards(shards);
  client::SetRetention(retention, *request.mutable_retention());
  return impl_->CallForStream(Operation::kCreateStream, request);
}

Result<std::vector<StreamDescription>> AdminClient::ListStreams() {
  native::ListStreamsRequest request;
  request.set_closed_shards(true);
  const auto response = impl_->Call<native::ListStreamsResponse>(Operation::kListStreams, request);
  if (!response) return std::unexpected(response.error());
  std::vector<StreamDescription> streams;
  for (const native::StreamInfo& info : response->streams()) streams.push_back(client::DescriptionOf(info));
  return streams;
}

Result<StreamDescription> AdminClient::DescribeStream(std::string_view name) {
  return client::LookUp(*impl_->connection, name);
}

Result<StreamDescription> AdminClient::SetRetention(std::string_view name, Retention retention) {
  native::SetRetentionRequest request;
  request.set_name(std::string(name));
  client::SetRetention(retention, *request.mutable_retention());
  return impl_->CallForStream(Operation::kSetRetention, request);
}

Status AdminClient::DeleteStream(std::string_view name) {
  native::DeleteStreamRequest request;
  request.set_name(std::string(name));
  const auto response = impl_->Call<native::Empty>(Operation::kDeleteStream, request);
  return response ? Status() : response.error();
}

Result<std::vector<LostRange>> AdminClient::AcceptLoss(std::string_view name, std::uint32_t shard) {
  native::AcceptLossRequest request;
  request.set_name(std::string(name));
  request.set_shard(shard);
  const auto response = impl_->Call<native::AcceptLossResponse>(Operation::kAcceptLoss, request);
  if (!response) return std::unexpected(response.error());
  std::vector<LostRange> lost;
  for (const native::LostRange& range : response->lost()) lost.push_back(client::LostRangeOf(range));
  return lost;
}

Result<StreamDescription> AdminClient::SplitShard(std::string_view name, std::uint32_t shard,
                                                  std::optional<std::string_view> at) {
  native::ReshardStreamRequest request;
  request.set_name(std::string(name));
  request.mutable_split()->set_shard(shard);
  if (at) {
    const auto start = protocol::ParseHashKey(*at);
    if (!start) return std::unexpected(start.error());
    // On the wire 0 asks for the middle.
    if (*start == protocol::kMinHashKey) {
      return Error(Code::kInvalidArgument, "a shard cannot be split at hash key 0: the lower part would be empty");
    }
    request.mutable_split()->set_start_high(start->high);
    request.mutable_split()->set_start_low(start->low);
  }
  return impl_->CallForStream(Operation::kReshardStream, request);
}

Result<StreamDescription> AdminClient::MergeShards(std::string_view name, std::uint32_t shard, std::uint32_t adjacent) {
  native::ReshardStreamRequest request;
  request.set_name(std::string(name));
  request.mutable_merge()->set_shard(shard);
  request.mutable_merge()->set_adjacent(adjacent);
  return impl_->CallForStream(Operation::kReshardStream, request);
}

Result<StreamDescription> AdminClient::EncryptStream(std::string_view name, std::string_view key) {
  native::EncryptStreamRequest request;
  request.set_name(std::string(name));
  request.set_encrypted(true);
  request.set_key_id(std::string(key));
  return impl_->CallForStream(Operation::kEncryptStream, request);
}

Result<StreamDescription> AdminClient::DecryptStream(std::string_view name) {
  native::EncryptStreamRequest request;
  request.set_name(std::string(name));
  return impl_->CallForStream(Operation::kEncryptStream, request);
}

Result<StreamDescription> AdminClient::ResizeStream(std::string_view name, std::uint32_t shards) {
  native::ReshardStreamRequest request;
  request.set_name(std::string(name));
  request.set_shards(shards);
  return impl_->CallForStream(Operation::kReshardStream, request);
}

Result<std::vector<GroupDescription>> AdminClient::ListGroups(std::string_view stream) {
  native::ListGroupsRequest request;
  request.set_stream(std::string(stream));
  const auto response = impl_->Call<native::ListGroupsResponse>(Operation::kListGroups, request);
  if (!response) return std::unexpected(response.error());
  std::vector<GroupDescription> groups;
  for (const native::GroupInfo& info : response->groups()) groups.push_back(client::DescriptionOf(info));
  return groups;
}

Result<GroupDescription> AdminClient::DescribeGroup(std::string_view stream, std::string_view group) {
  native::DescribeGroupRequest request;
  request.set_stream(std::string(stream));
  request.set_group(std::string(group));
  const auto info = impl_->Call<native::GroupInfo>(Operation::kDescribeGroup, request);
  if (!info) return std::unexpected(info.error());
  return client::DescriptionOf(*info);
}

Status AdminClient::DeleteGroup(std::string_view stream, std::string_view group) {
  native::DeleteGroupRequest request;
  request.set_stream(std::string(stream));
  request.set_group(std::string(group));
  const auto response = impl_->Call<native::Empty>(Operation::kDeleteGroup, request);
  return response ? Status() : response.error();
}

Result<GroupDescription> AdminClient::ResetGroup(std::string_view stream, std::string_view group, Position to,
                                                 std::optional<std::uint32_t> shard) {
  native::ResetGroupRequest request;
  request.set_stream(std::string(stream));
  request.set_group(std::string(group));
  client::SetPosition(to, *request.mutable_to());
  if (shard) request.set_shard(*shard);
  const auto info = impl_->Call<native::GroupInfo>(Operation::kResetGroup, request);
  if (!info) return std::unexpected(info.error());
  return client::DescriptionOf(*info);
}

Result<DeliveryAnswer> AdminClient::Delivery(DeliveryAction action, std::string_view name, std::string_view document,
                                             std::string_view document_name) {
  static_assert(static_cast<int>(DeliveryAction::kReplay) == native::DeliveryRequest::Action_MAX);
  native::DeliveryRequest request;
  request.set_action(static_cast<native::DeliveryRequest::Action>(action));
  request.set_name(std::string(name));
  request.set_document(std::string(document));
  request.set_document_name(std::string(document_name));
  const auto response = impl_->Call<native::DeliveryResponse>(Operation::kDelivery, request);
  if (!response) return std::unexpected(response.error());
  return DeliveryAnswer{response->document(), {response->warnings().begin(), response->warnings().end()}};
}

}  // namespace sluice
