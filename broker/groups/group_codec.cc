// Groups, shards and members as Protobuf messages, under keys with numbers of fixed width.
#include "broker/groups/group_codec.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "broker/stored.pb.h"
#include "storage/metadata_key.h"

namespace sluice::broker::groups {
namespace {

constexpr std::uint32_t kFormat = 1;
constexpr std::string_view kShardPrefix = "group-shard/";
constexpr std::string_view kMemberPrefix = "group-member/";

std::string KeyOf(std::string_view prefix, const GroupId& id) {
  return fmt::format("{}{:010}/{}", prefix, id.stream.value, id.name);
}

template <typename Number>
Result<Number> ParseNumber(std::string_view digits, int base, std::string_view key) {
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error == std::errc() && end == digits.data() + digits.size()) return number;
  return Error(Code::kCorruption, "metadata key " + storage::PrintableKey(key) + " is none of a consumer group");
}

std::string_view LastPart(std::string_view key) { return key.substr(key.rfind('/') + 1); }

template <typename Message>
Result<Message> Parse(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || message.format() == 0) {
    return Error(Code::kCorruption, "the stored value of a consumer group does not parse");
  }
  if (message.format() > kFormat) {
    return Error(Code::kUnimplemented, fmt::format("the stored value has format {}, this version knows {}; start the "
                                                   "version that wrote it",
                                                   message.format(), kFormat));
  }
  return message;
}

}  // namespace

std::string GroupKey(const GroupId& id) { return KeyOf(kGroupPrefix, id); }
std::string ShardPrefix(const GroupId& id) { return KeyOf(kShardPrefix, id) + "/"; }
std::string MemberPrefix(const GroupId& id) { return KeyOf(kMemberPrefix, id) + "/"; }
std::string ShardKey(const GroupId& id, ShardIndex shard) {
  return fmt::format("{}{:010}", ShardPrefix(id), shard.value);
}
std::string MemberKey(const GroupId& id, MemberId member) {
  return fmt::format("{}{:016x}", MemberPrefix(id), member.value);
}

Result<GroupId> ParseGroupKey(std::string_view key) {
  const std::string_view rest = key.substr(kGroupPrefix.size());
  const auto stream = ParseNumber<std::uint32_t>(rest.substr(0, rest.find('/')), 10, key);
  if (!stream) return Error(stream.error());
  return GroupId{StreamId(*stream), std::string(LastPart(key))};
}

Result<ShardIndex> ParseShardKey(std::string_view key) {
  const auto shard = ParseNumber<std::uint32_t>(LastPart(key), 10, key);
  if (!shard) return Error(shard.error());
  return ShardIndex(*shard);
}

Result<MemberId> ParseMemberKey(std::string_view key) {
  const auto member = ParseNumber<std::uint64_t>(LastPart(key), 16, key);
  if (!member) return Error(member.error());
  return MemberId(*member);
}

std::string Encode(const GroupInfo& group) {
  stored::Group message;
  message.set_format(kFormat);
  message.set_created_ms(group.created_ms);
  message.set_start(static_cast<std::uint32_t>(group.start.kind));
  message.set_start_time_ms(group.start.time_ms);
  return message.SerializeAsString();
}

std::string Encode(const ShardProgress& shard) {
  stored::GroupShard message;
  message.set_format(kFormat);
  message.set_next(shard.next.value);
  message.set_missed(shard.missed);
  message.set_epoch(shard.epoch);
  message.set_holder(shard.holder.value);
  return message.SerializeAsString();
}

std::string Encode(const MemberInfo& member) {
  stored::GroupMember message;
  message.set_format(kFormat);
  message.set_name(member.name);
  message.set_session_timeout_ms(member.session_timeout_ms);
  message.set_release_timeout_ms(member.release_timeout_ms);
  message.set_joined_ms(member.joined_ms);
  return message.SerializeAsString();
}

Result<GroupInfo> DecodeGroup(std::string_view bytes) {
  const auto message = Parse<stored::Group>(bytes);
  if (!message) return Error(message.error());
  if (message->start() > static_cast<std::uint32_t>(GroupStart::Kind::kTime)) {
    return Error(Code::kCorruption, "the stored value of a consumer group has an unknown start");
  }
  return GroupInfo{message->created_ms(), {static_cast<GroupStart::Kind>(message->start()), message->start_time_ms()}};
}

Result<ShardProgress> DecodeShard(std::string_view bytes) {
  const auto message = Parse<stored::GroupShard>(bytes);
  if (!message) return Error(message.error());
  return ShardProgress{Offset(message->next()), message->missed(), message->epoch(), MemberId(message->holder())};
}

Result<MemberInfo> DecodeMember(std::string_view bytes) {
  const auto message = Parse<stored::GroupMember>(bytes);
  if (!message) return Error(message.error());
  return MemberInfo{message->name(), message->session_timeout_ms(), message->release_timeout_ms(),
                    message->joined_ms()};
}

}  // namespace sluice::broker::groups
