// sluice delivery errors | replay: what failed on its way to the lake and why, and sending it through once more.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "protocol/base64.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/record_printer.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

struct ErrorArguments {
  std::string name;
  std::string reason;
  std::string since;
  std::uint64_t samples = 0;
  bool dry_run = false;
};

/// What failed for the same reason; of several pages.
struct Reason {
  std::uint64_t records = 0;
  std::uint64_t objects = 0;
  std::uint64_t dead_letters = 0;  // of `records`
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  array samples;
};

/// Of one dead-letter stream.
struct DeadLetterCounts {
  std::uint64_t records = 0;
  std::uint64_t gone = 0;
};

struct Listing {
  std::map<std::tuple<std::string, std::string, std::string>, Reason> reasons;  // by type, code and message
  std::uint64_t records = 0;
  std::uint64_t replayed = 0;
  array unreadable;
  std::map<std::string, DeadLetterCounts> dead_letters;  // by stream
};

/// What both commands ask for.
Result<object> RequestOf(const ErrorArguments& arguments) {
  object request;
  if (!arguments.reason.empty()) request["reason"] = arguments.reason;
  if (arguments.since.empty()) return request;
  const Result<Position> since = ParsePosition("time:" + arguments.since, NowMs());
  if (!since) return Error(since.error());
  request["since_ms"] = since->time_ms;
  return request;
}

std::uint64_t CountOf(const object& from, std::string_view key) { return from.at(key).to_number<std::uint64_t>(); }
std::string TextOf(const object& from, std::string_view key) { return std::string(from.at(key).as_string()); }
/// Of what brokers before did not say.
std::uint64_t CountIfTold(const object& from, std::string_view key) {
  return from.contains(key) ? CountOf(from, key) : 0;
}

/// The record itself in place of its base64, where it is text.
object Decoded(object sample) {
  const std::string data = protocol::DecodeBase64(TextOf(sample, "data")).value_or("");
  sample.erase("data");
  AddBytes(sample, "data", data);
  return sample;
}

void AddPage(const object& page, std::uint64_t samples, Listing& listing) {
  for (const value& item : page.at("reasons").as_array()) {
    const object& told = item.as_object();
    Reason& reason = listing.reasons[{TextOf(told, "type"), TextOf(told, "code"), TextOf(told, "message")}];
    const auto first_ms = told.at("first_ms").to_number<std::int64_t>();
    reason.first_ms = reason.records == 0 ? first_ms : std::min(reason.first_ms, first_ms);
    reason.last_ms = std::max(reason.last_ms, told.at("last_ms").to_number<std::int64_t>());
    reason.records += CountOf(told, "records");
    reason.objects += CountOf(told, "objects");
    reason.dead_letters += CountIfTold(told, "dead_letters");
    listing.records += CountOf(told, "records");
    for (const value& sample : told.at("samples").as_array()) {
      if (reason.samples.size() < samples) reason.samples.push_back(Decoded(sample.as_object()));
    }
  }
  listing.replayed += CountOf(page, "replayed");
  for (const value& why : page.at("unreadable").as_array()) listing.unreadable.push_back(why);
  const value* const dead_letters = page.if_contains("dead_letters");  // brokers before did not say
  if (dead_letters == nullptr) return;
  for (const value& item : dead_letters->as_array()) {
    const object& told = item.as_object();
    DeadLetterCounts& counts = listing.dead_letters[TextOf(told, "stream")];
    counts.records += CountOf(told, "records");
    counts.gone += CountIfTold(told, "gone");
  }
}

/// nullopt where it failed, which is said.
std::optional<Listing> List(Context& context, AdminClient& client, const ErrorArguments& arguments) {
  Result<object> request = RequestOf(arguments);
  if (!request) {
    context.FailUsage(request.error().message());
    return std::nullopt;
  }
  (*request)["samples"] = arguments.samples;
  Listing listing;
  for (std::string next;;) {
    (*request)["from"] = next;
    const auto page = client.Delivery(DeliveryAction::kErrors, arguments.name, boost::json::serialize(*request));
    if (!page) {
      context.Fail(page.error());
      return std::nullopt;
    }
    const value document = boost::json::parse(page->document);
    AddPage(document.as_object(), arguments.samples, listing);
    next = TextOf(document.as_object(), "next");
    if (next.empty()) return listing;
  }
}

using ReasonKey = std::tuple<std::string, std::string, std::string>;

/// The most frequent ones first.
std::vector<std::pair<ReasonKey, const Reason*>> Sorted(const Listing& listing) {
  std::vector<std::pair<ReasonKey, const Reason*>> sorted;
  for (const auto& [key, reason] : listing.reasons) sorted.emplace_back(key, &reason);
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    if (a.second->records != b.second->records) return a.second->records > b.second->records;
    return a.first < b.first;
  });
  return sorted;
}

void PrintJson(const ErrorArguments& arguments, const Listing& listing) {
  array reasons;
  for (const auto& [key, reason] : Sorted(listing)) {
    const auto& [type, code, message] = key;
    object told = {{"type", type},
                   {"code", code},
                   {"message", message},
                   {"records", reason->records},
                   {"objects", reason->objects},
                   {"dead_letters", reason->dead_letters},
                   {"first_ms", reason->first_ms},
                   {"last_ms", reason->last_ms}};
    if (arguments.samples > 0) told["samples"] = reason->samples;
    reasons.push_back(std::move(told));
  }
  array dead_letters;
  for (const auto& [stream, counts] : listing.dead_letters)
    dead_letters.push_back({{"stream", stream}, {"records", counts.records}, {"gone", counts.gone}});
  const object all = {{"name", arguments.name},           {"records", listing.records},
                      {"replayed", listing.replayed},     {"reasons", std::move(reasons)},
                      {"unreadable", listing.unreadable}, {"dead_letters", std::move(dead_letters)}};
  fmt::print("{}\n", boost::json::serialize(all));
}

void PrintSample(const object& sample) {
  const bool text = sample.contains("data");
  fmt::print("    shard {} offset {}{} ({}): {}{}\n", CountOf(sample, "shard"), CountOf(sample, "offset"),
             sample.contains("sub_sequence") ? fmt::format(".{}", CountOf(sample, "sub_sequence")) : "",
             FormatSize(CountOf(sample, "bytes")), text ? "" : "base64 ",
             TextOf(sample, text ? "data" : "data_base64"));
}

void PrintTable(const Listing& listing) {
  if (listing.reasons.empty()) return;
  fmt::print("{:>10} {:>8}  {:<24}  {:<24}  {}\n", "RECORDS", "OBJECTS", "FIRST", "LAST", "REASON");
  for (const auto& [key, reason] : Sorted(listing)) {
    const auto& [type, code, message] = key;
    fmt::print("{:>10} {:>8}  {:<24}  {:<24}  {} {}: {}\n", FormatCount(reason->records), FormatCount(reason->objects),
               FormatTime(reason->first_ms), FormatTime(reason->last_ms), type, code, message);
    for (const value& sample : reason->samples) PrintSample(sample.as_object());
  }
}

void WarnOfUnreadable(Context& context, const Listing& listing) {
  for (const value& why : listing.unreadable) fmt::print(stderr, "warning: {}\n", std::string(why.as_string()));
  if (!listing.unreadable.empty()) context.exit_code = kExitDamaged;
}

void PrintDeadLetters(const Listing& listing) {
  for (const auto& [stream, counts] : listing.dead_letters) {
    if (counts.records > 0) {
      fmt::print("{} of dead-letter stream {}.\n",
                 FormatCounted(counts.records, "of these is a record", "of these are records"), stream);
    }
    if (counts.gone > 0) {
      fmt::print("{} of dead-letter stream {} {} no longer there, by its retention or with it.\n",
                 FormatCounted(counts.gone, "other record"), stream, counts.gone == 1 ? "is" : "are");
    }
  }
}

/// `sentence` says behind the table what it comes to.
bool Show(Context& context, const ErrorArguments& arguments,
          std::string (*sentence)(const ErrorArguments&, const Listing&)) {
  auto client = context.Connect();
  if (!client) return false;
  const std::optional<Listing> listing = List(context, *client, arguments);
  if (!listing) return false;
  if (context.json) {
    PrintJson(arguments, *listing);
  } else {
    PrintTable(*listing);
    fmt::print("{}\n", sentence(arguments, *listing));
    PrintDeadLetters(*listing);
  }
  WarnOfUnreadable(context, *listing);
  return true;
}

bool ShowErrors(Context& context, const ErrorArguments& arguments) {
  return Show(context, arguments, [](const ErrorArguments& asked, const Listing& listing) {
    return fmt::format("{} in the error output of {}; {} delivered again.", FormatCounted(listing.records, "record"),
                       asked.name, FormatCounted(listing.replayed, "other was", "others were"));
  });
}

bool ShowReplay(Context& context, const ErrorArguments& arguments) {
  return Show(context, arguments, [](const ErrorArguments& asked, const Listing& listing) {
    return fmt::format("{} of {} would be delivered again.", FormatCounted(listing.records, "error record"),
                       asked.name);
  });
}

void WarnOfGone(const object& answer) {
  const std::uint64_t gone = CountIfTold(answer, "gone");
  if (gone == 0) return;
  fmt::print(stderr,
             "warning: {} no longer in {} dead-letter stream, by its retention or with it, and could not be delivered "
             "again\n",
             FormatCounted(gone, "other record is", "other records are"), gone == 1 ? "its" : "their");
}

bool EndReplay(Context& context, const ErrorArguments& arguments, const object& answer) {
  const std::string problem = TextOf(answer, "problem");
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(object{{"name", arguments.name},
                                                     {"records", answer.at("records")},
                                                     {"failed", answer.at("failed")},
                                                     {"gone", CountIfTold(answer, "gone")},
                                                     {"problem", problem}}));
  } else {
    fmt::print("Delivered {} of {} again; {} failed again.\n",
               FormatCounted(CountOf(answer, "records"), "error record"), arguments.name,
               FormatCount(CountOf(answer, "failed")));
  }
  WarnOfGone(answer);
  if (problem.empty()) return true;
  return context.Fail({Code::kCorruption, fmt::format("some were not delivered again: {}", problem)});
}

/// Goes on until all are delivered that were there at the first call, also over a restart of the broker.
bool Replay(Context& context, const ErrorArguments& arguments) {
  if (arguments.dry_run) return ShowReplay(context, arguments);
  auto client = context.Connect();
  if (!client) return false;
  Result<object> request = RequestOf(arguments);
  if (!request) return context.FailUsage(request.error().message());
  NoteInterrupts();
  while (true) {
    const auto answer = client->Delivery(DeliveryAction::kReplay, arguments.name, boost::json::serialize(*request));
    if (!answer || Interrupted()) ShowStep("");
    if (!answer) return context.Fail(answer.error());
    const value document = boost::json::parse(answer->document);
    const object& told = document.as_object();
    if (told.at("done").as_bool()) {
      ShowStep("");
      return EndReplay(context, arguments, told);
    }
    if (Interrupted()) {
      fmt::print(stderr, "sluice: no longer waiting; the broker goes on with it\n");
      context.exit_code = kExitInterrupted;
      return false;
    }
    (*request)["number"] = told.at("number");
    (*request)["up_to"] = told.at("up_to");
    ShowStep(fmt::format("replay: {}", FormatCounted(CountOf(told, "records"), "record")));
  }
}

}  // namespace

void AddDeliveryErrorCommands(CLI::App& delivery, Context& context) {
  auto arguments = std::make_shared<ErrorArguments>();
  const auto add = [&](const std::string& name, const std::string& help) {
    CLI::App* command = delivery.add_subcommand(name, help);
    AddDeliveryStreamName(*command, arguments->name);
    command->add_option("--reason", arguments->reason, "An error type or code, or a code's part before its dot")
        ->type_name("REASON");
    command->add_option("--since", arguments->since, "When they failed: 2026-03-01T12:00:00Z, or 2h for two hours ago")
        ->type_name("TIME");
    return command;
  };
  CLI::App* errors = add("errors", "Show what could not be delivered and why");
  errors->add_option("--show", arguments->samples, "Show so many records of each reason, decoded")->type_name("N");
  errors->callback([=, &context] { ShowErrors(context, *arguments); });
  CLI::App* replay = add("replay", "Deliver error records again, by the configuration as it is now");
  replay->add_flag("--dry-run", arguments->dry_run, "Only say which");
  replay->footer(
      "Of error objects and of dead-letter streams. Each is delivered once, whatever happens meanwhile: run it again "
      "after an\ninterruption. What fails again is in the error output again.\n\n"
      "Example:\n  sluice delivery replay orders --reason DataFormatConversion.ParseError --dry-run");
  replay->callback([=, &context] { Replay(context, *arguments); });
}

}  // namespace sluice::tools
