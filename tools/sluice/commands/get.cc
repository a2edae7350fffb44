// sluice get NAME, sluice tail NAME
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/sequence_number.h"
#include "protocol/suggest.h"
#include "sluice/consumer.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/group_reader.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/options.h"
#include "tools/sluice/record_printer.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

constexpr auto kPollTimeout = std::chrono::milliseconds(250);  // also how soon Ctrl-C is heard

struct GetArguments {
  std::string name;
  std::optional<std::uint32_t> shard;
  std::string group;  // empty: reads by itself
  std::string from = "oldest";
  std::uint64_t limit = 0;
  bool follow = false;
  bool meta = false;
  RecordFormat format = RecordFormat::kText;
};

/// Where the end of each shard was when the command started; without --follow the reading stops there.
using Ends = std::map<std::uint32_t, std::uint64_t>;

/// A sequence number says when its shard was made: one of another stream shows.
Status CheckSequenceNumber(const GetArguments& arguments, const StreamDescription& stream) {
  if (!arguments.from.starts_with("seq:")) return {};
  const auto number = protocol::ParseSequenceNumber(arguments.from.substr(4));
  if (!number) return {};
  std::int64_t created_ms = stream.created_ms;
  for (const auto* shards : {&stream.shards, &stream.closed_shards}) {
    const auto shard = std::ranges::find(*shards, number->shard.value, &ShardDescription::shard);
    if (shard != shards->end() && shard->created_ms != 0) created_ms = shard->created_ms;
  }
  if (number->shard_created_s == created_ms / 1000) return {};
  return {Code::kInvalidArgument,
          fmt::format("sequence number {} belongs to another stream, or to a deleted one of this name: its shard was "
                      "made at {}, stream {} at {}",
                      arguments.from.substr(4), FormatTime(number->shard_created_s * 1000), stream.name,
                      FormatTime(created_ms))};
}

Result<Ends> EndsNow(Context& context, const GetArguments& arguments) {
  auto client = AdminClient::Connect(context.client_options());
  if (!client) return Error(client.error());
  auto stream = (*client)->DescribeStream(arguments.name);
  if (!stream) return Error(stream.error());
  if (Status status = CheckSequenceNumber(arguments, *stream); !status.ok()) return Error(status);
  Ends ends;
  for (const auto* shards : {&stream->shards, &stream->closed_shards}) {
    for (const ShardDescription& shard : *shards) ends[shard.shard] = shard.end_offset;
  }
  if (arguments.shard && !ends.contains(*arguments.shard)) {
    return Error(Code::kNotFound, protocol::NoSuchShard(arguments.name, *arguments.shard, ends.rbegin()->first + 1));
  }
  return ends;
}

bool ReachedEnds(const Consumer& consumer, const Ends& ends) {
  const std::vector<ShardProgress> progress = consumer.progress();
  return std::ranges::all_of(progress, [&](const ShardProgress& shard) {
    const auto end = ends.find(shard.shard);
    return end == ends.end() || shard.next_offset >= end->second;
  });
}

/// Prints what Poll gives until the end, the limit or an interrupt.
Status Print(Consumer& consumer, const GetArguments& arguments, const Ends& ends) {
  std::uint64_t printed = 0;
  std::string out;
  while (!Interrupted() && (arguments.follow || !ReachedEnds(consumer, ends))) {
    auto records = consumer.Poll(kPollTimeout);
    if (!records) return records.error();
    out.clear();
    for (const ConsumedRecord& record : *records) {
      const auto end = ends.find(record.shard);
      const bool new_since = end == ends.end() || record.offset >= end->second;
      if (!arguments.follow && new_since) continue;
      AppendRecord(record, arguments.format, arguments.meta, out);
      if (++printed == arguments.limit) break;
    }
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) {
      if (errno == EPIPE) std::clearerr(stdout);  // the reader has what it wanted
      return {};
    }
    if (arguments.limit != 0 && printed >= arguments.limit) break;
  }
  return {};
}

Result<ConsumerOptions> OptionsFor(Context& context, const GetArguments& arguments, const Ends& ends) {
  ConsumerOptions options;
  options.client = context.client_options();
  auto start = ParsePosition(arguments.from, NowMs());
  if (!start) return Error(start.error());
  options.start = *start;
  if (arguments.shard) options.shards = {*arguments.shard};
  if (arguments.from.starts_with("seq:")) {
    if (auto sequence = protocol::ParseSequenceNumber(arguments.from.substr(4))) {
      if (arguments.shard && *arguments.shard != sequence->shard.value) {
        return Error(Code::kInvalidArgument, fmt::format("the sequence number is of shard {}, not of shard {}",
                                                         sequence->shard.value, *arguments.shard));
      }
      options.shards = {sequence->shard.value};
    } else if (!arguments.shard && ends.size() > 1) {
      return Error(Code::kInvalidArgument, fmt::format("an offset belongs to one shard: add --shard (stream {} has {})",
                                                       arguments.name, ends.size()));
    }
  }
  if (options.start.kind == Position::Kind::kOffset) {
    const std::uint32_t shard = options.shards.empty() ? ends.begin()->first : options.shards.front();
    const auto end = ends.find(shard);
    if (end != ends.end() && options.start.offset > end->second) {
      return Error(Code::kOutOfRange, fmt::format("shard {} of stream {} ends at {}; {} is not there yet", shard,
                                                  arguments.name, end->second, options.start.offset));
    }
  }
  return options;
}

bool GetAsMember(Context& context, const GetArguments& arguments) {
  if (arguments.shard) return context.FailUsage("a consumer group shares all shards: leave out --shard");
  const auto start = ParsePosition(arguments.from, NowMs());
  if (!start) return context.FailUsage(start.error().message());
  if (start->kind == Position::Kind::kOffset) {
    return context.FailUsage("a consumer group begins at oldest, latest or time:T");
  }
  return ReadAsMember(context, {.stream = arguments.name,
                                .group = arguments.group,
                                .start = *start,
                                .limit = arguments.limit,
                                .follow = arguments.follow,
                                .meta = arguments.meta,
                                .format = arguments.format});
}

bool Get(Context& context, GetArguments arguments) {
  if (context.json) arguments.format = RecordFormat::kJson;
  if (!arguments.group.empty()) return GetAsMember(context, arguments);
  auto ends = EndsNow(context, arguments);
  if (!ends) return context.FailToConnect(ends.error());
  auto options = OptionsFor(context, arguments, *ends);
  if (!options) {
    return options.error().code() == Code::kInvalidArgument ? context.FailUsage(options.error().message())
                                                            : context.Fail(options.error());
  }
  auto consumer = Consumer::Open(arguments.name, *options);
  if (!consumer) return context.FailToConnect(consumer.error());
  NoteInterrupts();
  std::signal(SIGPIPE, SIG_IGN);
  if (Status status = Print(**consumer, arguments, *ends); !status.ok()) return context.Fail(status);
  if (Interrupted() && !arguments.follow) context.exit_code = kExitInterrupted;
  return true;
}

const Choices<RecordFormat> kFormats{
    {"text", RecordFormat::kText}, {"json", RecordFormat::kJson}, {"hex", RecordFormat::kHex}};

void AddCommonOptions(CLI::App* command, const std::shared_ptr<GetArguments>& arguments) {
  AddStreamName(*command, arguments->name);
  constexpr std::uint32_t kShardMax = ~std::uint32_t{0};
  command->add_option("--shard", arguments->shard, "Only this shard")->check(WholeNumber(0, kShardMax))->type_name("S");
  command->add_option("--limit", arguments->limit, "Stop after so many records")
      ->check(WholeNumber(1, ~std::uint64_t{0}))
      ->type_name("N");
  command->add_flag("--meta", arguments->meta, "Text: shard:offset, append time and key in front of each value");
  AddChoice(*command, "--format", arguments->format, kFormats, "text: values; json: one object a record; hex: a dump");
}

}  // namespace

void RegisterGetCommands(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<GetArguments>();
  CLI::App* get = app.add_subcommand("get", "Print the records of a stream, up to its end at the time of the call");
  AddCommonOptions(get, arguments);
  get->add_option(
         "--from", arguments->from,
         "Where to begin: oldest, latest, seq:N (offset or sequence number), time:T (2026-03-01T12:00:00Z, or 10m for "
         "ten minutes ago)")
      ->type_name("POSITION")
      ->capture_default_str();
  get->add_option("--group", arguments->group,
                  "Read as a member of this consumer group, which goes on where it was; a new one begins at --from")
      ->type_name("GROUP");
  get->add_flag("--follow", arguments->follow, "Go on with new records as they come, until Ctrl-C");
  get->footer(
      "Examples:\n"
      "  sluice get orders --limit 10\n"
      "  sluice get orders --shard 0 --from seq:1000 --format json\n"
      "  sluice get orders --from time:10m --follow\n"
      "  sluice get orders --group billing --follow");
  get->callback([=, &context] { Get(context, *arguments); });

  auto tail_arguments = std::make_shared<GetArguments>();
  CLI::App* tail = app.add_subcommand("tail", "Print new records as they come (get --from latest --follow)");
  AddCommonOptions(tail, tail_arguments);
  tail->callback([=, &context] {
    tail_arguments->from = "latest";
    tail_arguments->follow = true;
    Get(context, *tail_arguments);
  });
}

}  // namespace sluice::tools
