// The stored bytes of consumer groups (stored.proto), to and from values, and their keys (broker/METADATA.md). Values
// only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/groups/group_state.h"
#include "protocol/ids.h"
#include "sluice/status.h"

namespace sluice::broker::groups {

/// A group: of one stream, by name.
struct GroupId {
  StreamId stream;
  std::string name;
  friend auto operator<=>(const GroupId&, const GroupId&) = default;
};

/// Where a group began to read the shards that were there when it was made; later ones are read from their start.
struct GroupStart {
  enum class Kind : std::uint8_t { kOldest = 0, kLatest = 1, kTime = 2 };
  Kind kind = Kind::kOldest;
  std::int64_t time_ms = 0;  // kTime: records appended at or after it
  friend bool operator==(const GroupStart&, const GroupStart&) = default;
};

struct GroupInfo {
  std::int64_t created_ms = 0;
  GroupStart start;
  friend bool operator==(const GroupInfo&, const GroupInfo&) = default;
};

inline constexpr std::string_view kGroupPrefix = "group/";
std::string GroupKey(const GroupId& id);
std::string ShardPrefix(const GroupId& id);
std::string ShardKey(const GroupId& id, ShardIndex shard);
std::string MemberPrefix(const GroupId& id);
std::string MemberKey(const GroupId& id, MemberId member);
// Each reads what the function above it made; kCorruption names the key.
Result<GroupId> ParseGroupKey(std::string_view key);
Result<ShardIndex> ParseShardKey(std::string_view key);
Result<MemberId> ParseMemberKey(std::string_view key);

std::string Encode(const GroupInfo& group);
std::string Encode(const ShardProgress& shard);
std::string Encode(const MemberInfo& member);
// kCorruption where the bytes do not parse, kUnimplemented where a newer version wrote them.
Result<GroupInfo> DecodeGroup(std::string_view bytes);
Result<ShardProgress> DecodeShard(std::string_view bytes);
Result<MemberInfo> DecodeMember(std::string_view bytes);

}  // namespace sluice::broker::groups
