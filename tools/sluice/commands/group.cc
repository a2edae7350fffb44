// sluice group list | describe | delete | reset
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

struct GroupArguments {
  std::string name;    // STREAM/GROUP
  std::string stream;  // of a list; empty: all
  std::string to;
  std::optional<std::uint32_t> shard;
};

struct GroupName {
  std::string stream;
  std::string group;
};

/// What is wrong is said, and the exit code set.
std::optional<GroupName> NameOf(Context& context, const GroupArguments& arguments) {
  const std::size_t slash = arguments.name.find('/');
  if (slash != std::string::npos && slash > 0 && slash + 1 < arguments.name.size()) {
    return GroupName{arguments.name.substr(0, slash), arguments.name.substr(slash + 1)};
  }
  context.FailUsage(fmt::format("'{}' is no consumer group; write STREAM/GROUP", arguments.name));
  return std::nullopt;
}

std::string_view StateText(GroupShard::State state) {
  switch (state) {
    case GroupShard::State::kFree:
      return "free";
    case GroupShard::State::kLeased:
      return "leased";
    case GroupShard::State::kAskedBack:
      return "moves";
    case GroupShard::State::kWaitsForParents:
      return "waits";
    case GroupShard::State::kFinished:
      return "finished";
  }
  return "unknown";
}

std::string StartText(const Position& start) {
  if (start.kind == Position::Kind::kLatest) return "latest";
  if (start.kind == Position::Kind::kTime) return "time:" + FormatTime(start.time_ms);
  return "oldest";
}

boost::json::object ToJson(const GroupShard& shard) {
  return {{"shard", shard.shard},
          {"state", StateText(shard.state)},
          {"next_offset", shard.next_offset},
          {"sequence_number", shard.sequence_number},
          {"end_offset", shard.end_offset},
          {"lag_records", shard.lag_records},
          {"lag_ms", shard.lag_ms},
          {"missed_records", shard.missed_records},
          {"member_id", shard.member_id == 0 ? boost::json::value(nullptr)
                                             : boost::json::value(fmt::format("{:016x}", shard.member_id))},
          {"epoch", shard.epoch}};
}

boost::json::object Summary(const GroupDescription& group) {
  return {{"stream", group.stream},
          {"group", group.group},
          {"created_ms", group.created_ms},
          {"start", StartText(group.start)},
          {"member_count", group.member_count},
          {"lag_records", group.lag_records},
          {"missed_records", group.missed_records}};
}

boost::json::object ToJson(const GroupDescription& group) {
  boost::json::object json = Summary(group);
  boost::json::array members;
  for (const GroupMember& member : group.members) {
    members.push_back({{"member_id", fmt::format("{:016x}", member.member_id)},
                       {"name", member.name},
                       {"joined_ms", member.joined_ms},
                       {"heard_ms_ago", member.heard_ms_ago},
                       {"shards", member.shards},
                       {"session_timeout_ms", member.session_timeout.count()}});
  }
  json["members"] = std::move(members);
  boost::json::array shards;
  for (const GroupShard& shard : group.shards) shards.push_back(ToJson(shard));
  json["shards"] = std::move(shards);
  return json;
}

void PrintMembers(const GroupDescription& group) {
  if (group.members.empty()) {
    fmt::print("\nIt has no members.\n");
    return;
  }
  fmt::print("\n{:<32} {:<16} {:>7} {:>12}  {}\n", "MEMBER", "ID", "SHARDS", "HEARD", "JOINED");
  for (const GroupMember& member : group.members) {
    fmt::print("{:<32} {:016x} {:>7} {:>12}  {}\n", member.name, member.member_id, member.shards,
               fmt::format("{} ms ago", member.heard_ms_ago), FormatTime(member.joined_ms));
  }
}

void PrintShards(const GroupDescription& group) {
  std::map<std::uint64_t, std::string> names;
  for (const GroupMember& member : group.members) names[member.member_id] = member.name;
  fmt::print("\n{:>6} {:>16} {:>16} {:>12}  {:<9} {:<20}  {}\n", "SHARD", "NEXT", "END", "LAG", "STATE", "MEMBER",
             "SEQUENCE NUMBER");
  for (const GroupShard& shard : group.shards) {
    const auto name = names.find(shard.member_id);
    fmt::print("{:>6} {:>16} {:>16} {:>12}  {:<9} {:<20}  {}\n", shard.shard, shard.next_offset, shard.end_offset,
               FormatCount(shard.lag_records), StateText(shard.state), name == names.end() ? "-" : name->second,
               shard.sequence_number.empty() ? "-" : shard.sequence_number);
  }
  for (const GroupShard& shard : group.shards) {
    if (shard.missed_records == 0) continue;
    fmt::print("\nShard {}: retention removed {} before the group had processed {}.\n", shard.shard,
               FormatCounted(shard.missed_records, "record"), shard.missed_records == 1 ? "it" : "them");
  }
}

void PrintGroup(const Context& context, const GroupDescription& group) {
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(ToJson(group)));
    return;
  }
  fmt::print("group      {}\nstream     {}\ncreated    {}\nbegan at   {}\nlag        {}\n", group.group, group.stream,
             FormatTime(group.created_ms), StartText(group.start), FormatCounted(group.lag_records, "record"));
  PrintMembers(group);
  PrintShards(group);
}

bool List(Context& context, const GroupArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  const auto groups = client->ListGroups(arguments.stream);
  if (!groups) return context.Fail(groups.error());
  if (context.json) {
    boost::json::array all;
    for (const GroupDescription& group : *groups) all.push_back(Summary(group));
    fmt::print("{}\n", boost::json::serialize(all));
    return true;
  }
  if (groups->empty()) {
    fmt::print("No consumer groups yet. Make one with 'sluice get STREAM --group NAME' or the SDK.\n");
    return true;
  }
  fmt::print("{:<48} {:>7} {:>16} {:>16}\n", "STREAM/GROUP", "MEMBERS", "LAG", "MISSED");
  for (const GroupDescription& group : *groups) {
    fmt::print("{:<48} {:>7} {:>16} {:>16}\n", group.stream + "/" + group.group, group.member_count,
               FormatCount(group.lag_records), FormatCount(group.missed_records));
  }
  return true;
}

bool Describe(Context& context, const GroupArguments& arguments) {
  const auto name = NameOf(context, arguments);
  if (!name) return false;
  auto client = context.Connect();
  if (!client) return false;
  const auto group = client->DescribeGroup(name->stream, name->group);
  if (!group) return context.Fail(group.error());
  PrintGroup(context, *group);
  return true;
}

bool Delete(Context& context, const GroupArguments& arguments) {
  const auto name = NameOf(context, arguments);
  if (!name) return false;
  auto client = context.Connect();
  if (!client) return false;
  if (Status status = client->DeleteGroup(name->stream, name->group); !status.ok()) return context.Fail(status);
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"deleted", arguments.name}}));
  } else {
    fmt::print("Deleted consumer group {} of stream {} and its checkpoints.\n", name->group, name->stream);
  }
  return true;
}

bool Reset(Context& context, const GroupArguments& arguments) {
  const auto name = NameOf(context, arguments);
  if (!name) return false;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto to = ParsePosition(arguments.to, std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  if (!to) return context.FailUsage(to.error().message());
  if (to->kind == Position::Kind::kOffset && !arguments.shard) {
    return context.FailUsage("an offset belongs to one shard: add --shard");
  }
  auto client = context.Connect();
  if (!client) return false;
  const auto group = client->ResetGroup(name->stream, name->group, *to, arguments.shard);
  if (!group) return context.Fail(group.error());
  if (context.json) {
    PrintGroup(context, *group);
  } else {
    fmt::print("Consumer group {} of stream {} goes on at {}{}: {} to process.\n", group->group, group->stream,
               arguments.to, arguments.shard ? fmt::format(" in shard {}", *arguments.shard) : "",
               FormatCounted(group->lag_records, "record"));
  }
  return true;
}

}  // namespace

void RegisterGroupCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("group", "List, describe, delete and reset consumer groups");
  group->require_subcommand(1);
  auto arguments = std::make_shared<GroupArguments>();
  const auto with_name = [&](CLI::App* command) {
    command->add_option("STREAM/GROUP", arguments->name, "The consumer group")->required();
  };

  CLI::App* list = group->add_subcommand("list", "List the consumer groups of a stream, or of all");
  list->add_option("STREAM", arguments->stream, "Only those of this stream");
  list->callback([=, &context] { List(context, *arguments); });

  CLI::App* describe = group->add_subcommand("describe", "Show a group's members, and how far it is in each shard");
  with_name(describe);
  describe->footer("Example:\n  sluice group describe orders/billing");
  describe->callback([=, &context] { Describe(context, *arguments); });

  CLI::App* remove = group->add_subcommand("delete", "Delete a group that has no members, and its checkpoints");
  with_name(remove);
  remove->callback([=, &context] { Delete(context, *arguments); });

  CLI::App* reset = group->add_subcommand("reset", "Let a group that has no members go on at another place");
  with_name(reset);
  reset
      ->add_option("--to", arguments->to,
                   "oldest, latest, time:T (2026-03-01T12:00:00Z, or 10m for ten minutes ago), or seq:N (offset or "
                   "sequence number) with --shard")
      ->type_name("POSITION")
      ->required();
  reset->add_option("--shard", arguments->shard, "Only this shard")
      ->check(WholeNumber(0, ~std::uint32_t{0}))
      ->type_name("S");
  reset->footer(
      "Examples:\n  sluice group reset orders/billing --to oldest\n"
      "  sluice group reset orders/billing --to seq:1000 --shard 0");
  reset->callback([=, &context] { Reset(context, *arguments); });
}

}  // namespace sluice::tools
