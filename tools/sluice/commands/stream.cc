// sluice stream create | list | describe | set | delete | split | merge | resize | accept-loss
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

struct StreamArguments {
  std::string name;
  std::uint32_t shards = 1;
  std::string retention = "forever";
  std::uint32_t shard = 0;
  std::uint32_t with = 0;
  std::optional<std::string> at;
  std::string key;
};

boost::json::array ToJson(const std::vector<LostRange>& lost) {
  boost::json::array ranges;
  for (const LostRange& range : lost) {
    ranges.push_back({{"first", range.first}, {"last", range.last}, {"accepted", range.accepted}});
  }
  return ranges;
}

/// "offsets 3 to 5, 9 to 9"
std::string OffsetsText(const std::vector<LostRange>& lost) {
  std::string text = "offsets";
  for (const LostRange& range : lost) {
    text += fmt::format("{} {} to {}", text == "offsets" ? "" : ",", range.first, range.last);
  }
  return text;
}

std::uint64_t RecordsOf(const std::vector<LostRange>& lost) {
  std::uint64_t records = 0;
  for (const LostRange& range : lost) records += range.last - range.first + 1;
  return records;
}

/// Numbers of the shards that this one follows.
std::vector<std::uint32_t> ParentsOf(const ShardDescription& shard) {
  std::vector<std::uint32_t> parents;
  if (shard.parent) parents.push_back(*shard.parent);
  if (shard.adjacent_parent) parents.push_back(*shard.adjacent_parent);
  return parents;
}

boost::json::array ToJson(const std::vector<ShardDescription>& shards) {
  boost::json::array json;
  for (const ShardDescription& shard : shards) {
    boost::json::object one{{"shard", shard.shard},
                            {"oldest_offset", shard.oldest_offset},
                            {"end_offset", shard.end_offset},
                            {"bytes", shard.bytes},
                            {"last_append_time_ms", shard.last_append_time_ms},
                            {"hash_first", shard.hash_first},
                            {"hash_last", shard.hash_last},
                            {"quarantine", shard.quarantine},
                            {"lost", ToJson(shard.lost)}};
    boost::json::array parents;
    for (const std::uint32_t parent : ParentsOf(shard)) parents.push_back(parent);
    one["parents"] = std::move(parents);
    one["created_ms"] = shard.created_ms;
    one["closed_ms"] = shard.closed_ms == 0 ? boost::json::value(nullptr) : boost::json::value(shard.closed_ms);
    json.push_back(std::move(one));
  }
  return json;
}

boost::json::object ToJson(const StreamDescription& stream) {
  boost::json::object json{{"name", stream.name}, {"stream_id", stream.stream_id}, {"created_ms", stream.created_ms}};
  json["retention_ms"] = stream.retention.age ? boost::json::value(stream.retention.age->count()) : nullptr;
  json["retention_bytes"] = stream.retention.bytes ? boost::json::value(*stream.retention.bytes) : nullptr;
  json["encrypted"] = stream.encrypted;
  json["shards"] = ToJson(stream.shards);
  json["closed_shards"] = ToJson(stream.closed_shards);
  return json;
}

struct Totals {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};

Totals TotalsOf(const StreamDescription& stream) {
  Totals totals;
  for (const auto* shards : {&stream.shards, &stream.closed_shards}) {
    for (const ShardDescription& shard : *shards) {
      totals.records += shard.end_offset - shard.oldest_offset - RecordsOf(shard.lost);
      totals.bytes += shard.bytes;
    }
  }
  return totals;
}

/// What is lost, and what to do about it.
void PrintDamage(const std::string& stream, const ShardDescription& shard) {
  std::vector<LostRange> accepted;
  std::vector<LostRange> open;
  for (const LostRange& range : shard.lost) (range.accepted ? accepted : open).push_back(range);
  if (!accepted.empty())
    fmt::print("\nShard {}: {} were lost, and it goes on without.\n", shard.shard, OffsetsText(accepted));
  if (open.empty() && shard.quarantine.empty()) return;
  fmt::print("\nShard {}: {} lost.\n", shard.shard, open.empty() ? "records may be" : OffsetsText(open) + " are");
  if (!shard.quarantine.empty()) fmt::print("It takes no records: {}.\n", shard.quarantine);
  fmt::print(
      "Put back the files of DATA as they were and restart the broker, or go on without these records:\n"
      "  sluice stream accept-loss {} --shard {}\n",
      stream, shard.shard);
}

/// "from 3 and 5, closed 2026-11-28T..." or nothing.
std::string HistoryText(const ShardDescription& shard) {
  std::string text;
  for (const std::uint32_t parent : ParentsOf(shard)) {
    text += fmt::format("{}{}", text.empty() ? "from " : " and ", parent);
  }
  if (shard.closed_ms == 0) return text;
  return text + fmt::format("{}closed {}", text.empty() ? "" : ", ", FormatTime(shard.closed_ms));
}

/// Closed ones among the open ones, by number.
std::vector<ShardDescription> AllShards(const StreamDescription& stream) {
  std::vector<ShardDescription> all = stream.shards;
  all.insert(all.end(), stream.closed_shards.begin(), stream.closed_shards.end());
  std::ranges::sort(all, {}, &ShardDescription::shard);
  return all;
}

void PrintStream(const Context& context, const StreamDescription& stream) {
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(ToJson(stream)));
    return;
  }
  const Totals totals = TotalsOf(stream);
  fmt::print("stream     {}\ncreated    {}\nretention  {}\nrecords    {} ({})\n", stream.name,
             FormatTime(stream.created_ms), FormatRetention(stream.retention), FormatCount(totals.records),
             FormatSize(totals.bytes));
  fmt::print("{}\n", stream.encrypted ? "encrypted  yes\n" : "");
  const std::vector<ShardDescription> shards = AllShards(stream);
  fmt::print("{:>6} {:>16} {:>16} {:>12}  {}\n", "SHARD", "OLDEST", "END", "SIZE", "LAST APPEND");
  for (const ShardDescription& shard : shards) {
    const std::string last = shard.last_append_time_ms == 0 ? "-" : FormatTime(shard.last_append_time_ms);
    const std::string history = HistoryText(shard);
    fmt::print("{:>6} {:>16} {:>16} {:>12}  {}{}{}\n", shard.shard, shard.oldest_offset, shard.end_offset,
               FormatSize(shard.bytes), last, history.empty() ? "" : "  ", history);
  }
  for (const ShardDescription& shard : shards) PrintDamage(stream.name, shard);
}

bool Create(Context& context, const StreamArguments& arguments) {
  auto retention = ParseRetention(arguments.retention);
  if (!retention) return context.FailUsage(retention.error().message());
  auto client = context.Connect();
  if (!client) return false;
  auto stream = client->CreateStream(arguments.name, arguments.shards, *retention);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else {
    fmt::print("Created stream {} with {}, retention {}.\n", stream->name,
               FormatCounted(stream->shards.size(), "shard"), FormatRetention(stream->retention));
  }
  return true;
}

bool List(Context& context) {
  auto client = context.Connect();
  if (!client) return false;
  auto streams = client->ListStreams();
  if (!streams) return context.Fail(streams.error());
  if (context.json) {
    boost::json::array all;
    for (const StreamDescription& stream : *streams) all.push_back(ToJson(stream));
    fmt::print("{}\n", boost::json::serialize(all));
    return true;
  }
  if (streams->empty()) {
    fmt::print("No streams yet. Create one with 'sluice stream create NAME'.\n");
    return true;
  }
  fmt::print("{:<32} {:>7} {:>16} {:>12}  {}\n", "NAME", "SHARDS", "RECORDS", "SIZE", "RETENTION");
  for (const StreamDescription& stream : *streams) {
    const Totals totals = TotalsOf(stream);
    fmt::print("{:<32} {:>7} {:>16} {:>12}  {}\n", stream.name, stream.shards.size(), FormatCount(totals.records),
               FormatSize(totals.bytes), FormatRetention(stream.retention));
  }
  return true;
}

bool Describe(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  auto stream = client->DescribeStream(arguments.name);
  if (!stream) return context.Fail(stream.error());
  PrintStream(context, *stream);
  return true;
}

bool Set(Context& context, const StreamArguments& arguments) {
  auto retention = ParseRetention(arguments.retention);
  if (!retention) return context.FailUsage(retention.error().message());
  auto client = context.Connect();
  if (!client) return false;
  auto stream = client->SetRetention(arguments.name, *retention);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else {
    fmt::print("Retention of stream {} is now {}.\n", stream->name, FormatRetention(stream->retention));
  }
  return true;
}

bool Delete(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  if (Status status = client->DeleteStream(arguments.name); !status.ok()) return context.Fail(status);
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"deleted", arguments.name}}));
  } else {
    fmt::print("Deleted stream {} and its records.\n", arguments.name);
  }
  return true;
}

/// "2, 4 and 5"
std::string ShardsText(const std::vector<std::uint32_t>& shards) {
  std::string text;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string_view before = i == 0 ? "" : i + 1 == shards.size() ? " and " : ", ";
    text += fmt::format("{}{}", before, shards[i]);
  }
  return text;
}

std::vector<std::uint32_t> ChildrenOf(const StreamDescription& stream, std::uint32_t parent) {
  std::vector<std::uint32_t> children;
  for (const ShardDescription& shard : stream.shards) {
    if (shard.parent == parent || shard.adjacent_parent == parent) children.push_back(shard.shard);
  }
  return children;
}

bool Split(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  const auto stream = client->SplitShard(arguments.name, arguments.shard, arguments.at);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else {
    fmt::print("Split shard {} of stream {}: shards {} take its records from now on.\n", arguments.shard, stream->name,
               ShardsText(ChildrenOf(*stream, arguments.shard)));
  }
  return true;
}

bool Merge(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  const auto stream = client->MergeShards(arguments.name, arguments.shard, arguments.with);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else {
    fmt::print("Merged shards {} and {} of stream {}: shard {} takes their records from now on.\n", arguments.shard,
               arguments.with, stream->name, ShardsText(ChildrenOf(*stream, arguments.shard)));
  }
  return true;
}

bool Resize(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  const auto stream = client->ResizeStream(arguments.name, arguments.shards);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else {
    fmt::print("Stream {} has {} with equal ranges of hash keys.\n", stream->name,
               FormatCounted(stream->shards.size(), "open shard"));
  }
  return true;
}

bool Encrypt(Context& context, const StreamArguments& arguments, bool encrypted) {
  auto client = context.Connect();
  if (!client) return false;
  const auto stream =
      encrypted ? client->EncryptStream(arguments.name, arguments.key) : client->DecryptStream(arguments.name);
  if (!stream) return context.Fail(stream.error());
  if (context.json) {
    PrintStream(context, *stream);
  } else if (stream->encrypted) {
    fmt::print("New records of stream {} are encrypted with a new data key where they are stored.\n", stream->name);
  } else {
    fmt::print("New records of stream {} are stored as they come. Encrypted ones stay so, and can be read.\n",
               stream->name);
  }
  return true;
}

bool AcceptLoss(Context& context, const StreamArguments& arguments) {
  auto client = context.Connect();
  if (!client) return false;
  const auto lost = client->AcceptLoss(arguments.name, arguments.shard);
  if (!lost) return context.Fail(lost.error());
  if (context.json) {
    const boost::json::object json{{"name", arguments.name}, {"shard", arguments.shard}, {"lost", ToJson(*lost)}};
    fmt::print("{}\n", boost::json::serialize(json));
  } else if (lost->empty()) {
    fmt::print("Nothing had to be given up. Shard {} of stream {} takes records.\n", arguments.shard, arguments.name);
  } else {
    fmt::print("Gave up {} of shard {} of stream {}. It takes records, reads and deliveries pass over them.\n",
               OffsetsText(*lost), arguments.shard, arguments.name);
  }
  return true;
}

constexpr std::uint32_t kShardMax = ~std::uint32_t{0};

void RegisterReshardCommands(CLI::App& stream, Context& context, const std::shared_ptr<StreamArguments>& arguments) {
  const auto add = [&](const std::string& name, const std::string& text) {
    CLI::App* command = stream.add_subcommand(name, text);
    AddStreamName(*command, arguments->name);
    return command;
  };
  const auto shard = [](CLI::App* command, const std::string& name, std::uint32_t& value, const std::string& text) {
    command->add_option(name, value, text)->check(WholeNumber(0, kShardMax))->type_name("S")->required();
  };

  CLI::App* split = add("split", "Let two shards take over from one");
  shard(split, "--shard", arguments->shard, "The shard to split; it stays readable");
  split
      ->add_option("--at", arguments->at,
                   "First hash key of the upper one of the two, 0 to 2^128 - 1; without it they have one half each")
      ->type_name("HASHKEY");
  split->footer(
      "Examples:\n  sluice stream split orders --shard 0\n"
      "  sluice stream split orders --shard 0 --at 85070591730234615865843651857942052864");
  split->callback([=, &context] { Split(context, *arguments); });

  CLI::App* merge = add("merge", "Let one shard take over from two neighbours");
  shard(merge, "--shard", arguments->shard, "One of the two; both stay readable");
  shard(merge, "--with", arguments->with,
        "The other one: its hash keys begin or end where the first one's end or begin");
  merge->footer("Example:\n  sluice stream merge orders --shard 2 --with 3");
  merge->callback([=, &context] { Merge(context, *arguments); });

  CLI::App* resize = add("resize", "Split and merge until a stream has so many shards of equal ranges");
  resize->add_option("--shards", arguments->shards, "Number of open shards, 1 to 10,000")
      ->check(WholeNumber(1, 10'000))
      ->type_name("N")
      ->required();
  resize->footer("Example:\n  sluice stream resize orders --shards 8");
  resize->callback([=, &context] { Resize(context, *arguments); });
}

void RegisterEncryptionCommands(CLI::App& stream, Context& context, const std::shared_ptr<StreamArguments>& arguments) {
  CLI::App* encrypt = stream.add_subcommand("encrypt", "Store a stream's new records encrypted, with a new data key");
  AddStreamName(*encrypt, arguments->name);
  encrypt->add_option("--key", arguments->key, "A key of the broker's key file; without it the current one")
      ->type_name("KEY");
  encrypt->footer(
      "The broker needs a key file: 'sluice key new', encryption.key_file.\n\n"
      "Example:\n  sluice stream encrypt orders");
  encrypt->callback([=, &context] { Encrypt(context, *arguments, true); });

  CLI::App* decrypt = stream.add_subcommand("decrypt", "Store a stream's new records as they come again");
  AddStreamName(*decrypt, arguments->name);
  decrypt->callback([=, &context] { Encrypt(context, *arguments, false); });
}

}  // namespace

void RegisterStreamCommands(CLI::App& app, Context& context) {
  CLI::App* stream = app.add_subcommand("stream", "Create, list, describe, change, delete and mend streams");
  stream->require_subcommand(1);
  auto arguments = std::make_shared<StreamArguments>();
  const auto with_name = [&](CLI::App* command) {
    AddStreamName(*command, arguments->name);
  };

  CLI::App* create = stream->add_subcommand("create", "Create a stream");
  create->add_option("NAME", arguments->name, "The new stream")->required();
  create->add_option("--shards", arguments->shards, "Number of shards, 1 to 10,000")
      ->check(WholeNumber(1, 10'000))
      ->type_name("N")
      ->capture_default_str();
  create->add_option("--retention", arguments->retention, "An age, a size, both, or forever: 24h, 10GiB, or 24h,10GiB")
      ->type_name("RETENTION")
      ->capture_default_str();
  create->footer("Example:\n  sluice stream create orders --shards 4 --retention 7d");
  create->callback([=, &context] { Create(context, *arguments); });

  stream->add_subcommand("list", "List all streams")->callback([&context] { List(context); });

  CLI::App* describe = stream->add_subcommand("describe", "Show a stream and its shards");
  with_name(describe);
  describe->callback([=, &context] { Describe(context, *arguments); });

  CLI::App* set = stream->add_subcommand("set", "Change a stream's retention");
  with_name(set);
  set->add_option("--retention", arguments->retention, "An age, a size, both, or forever")
      ->type_name("RETENTION")
      ->required();
  set->footer("Example:\n  sluice stream set orders --retention 24h,10GiB");
  set->callback([=, &context] { Set(context, *arguments); });

  CLI::App* remove = stream->add_subcommand("delete", "Delete a stream and all its records");
  with_name(remove);
  remove->callback([=, &context] { Delete(context, *arguments); });

  RegisterReshardCommands(*stream, context, arguments);
  RegisterEncryptionCommands(*stream, context, arguments);

  CLI::App* accept = stream->add_subcommand("accept-loss", "Go on without the records that a damaged shard has lost");
  with_name(accept);
  accept->add_option("--shard", arguments->shard, "The shard that 'stream describe' shows as damaged")
      ->check(WholeNumber(0, kShardMax))
      ->type_name("S")
      ->required();
  accept->footer(
      "What is lost stays lost: its offsets are not used again, reads and deliveries pass over them, and 'sluice "
      "verify'\n"
      "names them. Put back the damaged files instead, if there is a copy.\n\n"
      "Example:\n  sluice stream accept-loss orders --shard 0");
  accept->callback([=, &context] { AcceptLoss(context, *arguments); });
}

}  // namespace sluice::tools
