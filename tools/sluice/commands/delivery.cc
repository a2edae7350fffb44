// sluice delivery create | check | list | describe | pause | resume | flush | delete; the rest in delivery_errors.cc
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "broker/config.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"
#include "tools/sluice/commands/delivery_sample.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

struct DeliveryArguments {
  std::string name;
  std::string file;
  SampleArguments sample;
};

std::string TextOf(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  return boost::json::serialize(value);
}

/// "name: value" lines, objects and arrays indented below their name.
void PrintTree(const boost::json::value& value, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (member.is_structured() && boost::json::serialize(member).size() > 60) {
        fmt::print("{}{}:\n", margin, std::string_view(key));
        PrintTree(member, indent + 2);
      } else {
        fmt::print("{}{}: {}\n", margin, std::string_view(key), TextOf(member));
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& member : *array) {
      fmt::print("{}- {}\n", margin,
                 member.is_structured() && boost::json::serialize(member).size() > 60 ? "" : TextOf(member));
      if (member.is_structured() && boost::json::serialize(member).size() > 60) PrintTree(member, indent + 2);
    }
  } else {
    fmt::print("{}{}\n", margin, TextOf(value));
  }
}

std::string Text(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? "-" : TextOf(*value);
}

std::string Counted(const boost::json::object& object, std::string_view key, std::string_view one) {
  return FormatCounted(object.at(key).to_number<std::uint64_t>(), one);
}

std::string Count(const boost::json::object& object, std::string_view key) {
  return FormatCount(object.at(key).to_number<std::uint64_t>());
}

void PrintList(const boost::json::object& answer) {
  const auto& streams = answer.at("delivery_streams").as_array();
  if (streams.empty()) {
    fmt::print("No delivery streams yet. Create one with 'sluice delivery create -f FILE'.\n");
    return;
  }
  fmt::print("{:<32} {:<10} {:>14} {:>14} {:>10}  {:<24}  {}\n", "NAME", "STATE", "RECORDS", "LAG", "ERRORS",
             "LAST OBJECT", "LAST ERROR");
  for (const auto& stream : streams) {
    const auto& row = stream.as_object();
    const std::string error = Text(row, "last_error");
    fmt::print("{:<32} {:<10} {:>14} {:>14} {:>10}  {:<24}  {}\n", Text(row, "name"), Text(row, "mode"),
               Count(row, "records"), Count(row, "lag_records"), Count(row, "errors"), Text(row, "delivered_at"),
               error.empty() ? "-" : error);
  }
}

/// What `create` has done to a delivery stream that was there.
void PrintChanges(const boost::json::object& answer, const boost::json::array& keys) {
  if (keys.empty()) {
    fmt::print("It was there already, with this configuration: nothing has changed.\n");
    return;
  }
  std::string list;
  for (const auto& key : keys) list += (list.empty() ? "" : ", ") + TextOf(key);
  fmt::print("It was there already. Changed: {}. Version {} of its configuration counts from the next delivery on.\n",
             list, Text(answer, "version"));
}

/// What a person wants to know after a change; the whole of it is `describe`'s.
void PrintState(const boost::json::object& answer) {
  const auto& totals = answer.at("totals").as_object();
  fmt::print("Delivery stream {} is {}: {} delivered in {}, {}, {} behind.\n", Text(answer, "name"),
             Text(answer, "mode"), Counted(totals, "records", "record"), Counted(totals, "objects", "object"),
             Counted(totals, "errors", "error"), Counted(answer, "lag_records", "record"));
  if (const boost::json::value* changes = answer.if_contains("changes")) PrintChanges(answer, changes->as_array());
  if (const std::string error = Text(answer, "last_error"); !error.empty() && error != "-")
    fmt::print("Last error: {}\n", error);
}

void PrintAnswer(const Context& context, DeliveryAction action, const DeliveryAnswer& answer) {
  for (const std::string& warning : answer.warnings) fmt::print(stderr, "warning: {}\n", warning);
  if (answer.document.empty()) return;
  if (context.json) {
    fmt::print("{}\n", answer.document);
    return;
  }
  const boost::json::value document = boost::json::parse(answer.document);
  const boost::json::object* object = document.if_object();
  if (action == DeliveryAction::kList && object != nullptr && object->contains("delivery_streams")) {
    PrintList(*object);
  } else if (action == DeliveryAction::kDelete && object != nullptr) {
    fmt::print("Deleted delivery stream {}; its objects stay in the lake.\n", Text(*object, "name"));
  } else if (action != DeliveryAction::kDescribe && object != nullptr && object->contains("totals")) {
    PrintState(*object);
  } else {
    PrintTree(document, 0);
  }
}

/// Waits until all is delivered that was there at the first call; the broker answers every few seconds.
bool Flush(Context& context, const std::string& name) {
  auto client = context.Connect();
  if (!client) return false;
  NoteInterrupts();
  std::string number;
  while (true) {
    const auto answer = client->Delivery(DeliveryAction::kFlush, name, number);
    if (!answer || Interrupted()) ShowStep("");
    if (!answer) return context.Fail(answer.error());
    const boost::json::value document = boost::json::parse(answer->document);
    const boost::json::object& flush = document.at("flush").as_object();
    if (flush.at("done").as_bool()) {
      ShowStep("");
      PrintAnswer(context, DeliveryAction::kFlush, *answer);
      return true;
    }
    if (Interrupted()) {
      fmt::print(stderr, "sluice: no longer waiting; the broker goes on delivering\n");
      context.exit_code = kExitInterrupted;
      return false;
    }
    number = Text(flush, "number");
    ShowStep(fmt::format("flush: {} behind", Counted(document.as_object(), "lag_records", "record")));
  }
}

/// With a sample: the document is the broker's answer, but for the objects, whose rows are told.
bool PrintTrial(Context& context, const DeliveryAnswer& answer) {
  for (const std::string& warning : answer.warnings) fmt::print(stderr, "warning: {}\n", warning);
  boost::json::value document = boost::json::parse(answer.document);
  boost::json::object& object = document.as_object();
  boost::json::object sample = std::move(object.at("sample").as_object());
  if (Status status = ReadSampleObjects(sample); !status.ok()) return context.Fail(status);
  if (context.json) {
    object["sample"] = std::move(sample);
    fmt::print("{}\n", boost::json::serialize(document));
    return true;
  }
  object.erase("sample");
  PrintTree(document, 0);
  PrintSample(sample);
  return true;
}

bool Run(Context& context, DeliveryAction action, const DeliveryArguments& arguments) {
  std::string document;
  if (!arguments.file.empty()) {
    Result<std::string> text = broker::ReadTextFile(arguments.file);
    if (!text) {
      const Status& why = text.error();
      return context.Fail({why.code(), fmt::format("cannot read {}: {}", arguments.file, why.message())});
    }
    document = *std::move(text);
  }
  const bool tries = action == DeliveryAction::kCheck && !arguments.sample.file.empty();
  if (tries) {
    Result<std::string> request = SampleRequest(document, arguments.sample);
    if (!request) return context.Fail(request.error());
    document = *std::move(request);
    action = DeliveryAction::kTry;
  }
  auto client = context.Connect();
  if (!client) return false;
  // The full name: the broker finds a table file relative to it, and runs elsewhere.
  const std::string file = arguments.file.empty() ? "" : std::filesystem::absolute(arguments.file).lexically_normal();
  auto answer = client->Delivery(action, arguments.name, document, file);
  if (!answer) return context.Fail(answer.error());
  if (tries) return PrintTrial(context, *answer);
  PrintAnswer(context, action, *answer);
  return true;
}

}  // namespace

void RegisterDeliveryCommands(CLI::App& app, Context& context) {
  CLI::App* delivery =
      app.add_subcommand("delivery",
                         "Deliver streams to the lake: create, check, list, describe, pause, resume, flush, errors, "
                         "replay, delete");
  delivery->require_subcommand(1);
  auto arguments = std::make_shared<DeliveryArguments>();
  const auto add = [&](const std::string& name, const std::string& help, DeliveryAction action) {
    CLI::App* command = delivery->add_subcommand(name, help);
    command->callback([=, &context] { Run(context, action, *arguments); });
    return command;
  };
  const auto with_file = [&](CLI::App* command) {
    command->add_option("-f,--file", arguments->file, "The body of CreateDeliveryStream as JSON or YAML")
        ->type_name("FILE")
        ->required();
    return command;
  };
  const auto with_name = [&](CLI::App* command) {
    AddDeliveryStreamName(*command, arguments->name);
    return command;
  };

  with_file(
      add("create", "Create a delivery stream from a file, or change the one of its name", DeliveryAction::kCreate))
      ->footer("Example:\n  sluice delivery create -f orders-to-parquet.json");
  CLI::App* check =
      with_file(add("check", "Check a delivery stream's file and say what it would do", DeliveryAction::kCheck));
  CLI::Option* sample = check
                            ->add_option("--sample", arguments->sample.file,
                                         "Records, one a line (-: standard input): show their objects")
                            ->type_name("FILE");
  check->add_flag("--base64", arguments->sample.base64, "The lines of the sample are base64")->needs(sample);
  check->footer("Example:\n  sluice delivery check -f orders-to-parquet.json --sample orders.ndjson");
  add("list", "List all delivery streams", DeliveryAction::kList);
  with_name(add("describe", "Show a delivery stream: configuration, position, lag, last object, last error",
                DeliveryAction::kDescribe));
  with_name(add("pause", "Stop delivering; nothing is lost", DeliveryAction::kPause));
  with_name(add("resume", "Go on delivering", DeliveryAction::kResume));
  CLI::App* flush =
      delivery->add_subcommand("flush", "Deliver all that is there now, without waiting for size or time");
  with_name(flush)->callback([=, &context] { Flush(context, arguments->name); });
  AddDeliveryErrorCommands(*delivery, context);
  with_name(add("delete", "Delete a delivery stream; its objects stay in the lake", DeliveryAction::kDelete));
}

}  // namespace sluice::tools
