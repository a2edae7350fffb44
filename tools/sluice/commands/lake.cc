// sluice lake ls | cat | schema | count: delivered objects, read without a broker.
#include "tools/lake/lake.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "broker/delivery/object_writer.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/options.h"

namespace sluice::tools {

namespace {

struct LakeArguments {
  LakePaths paths;
  CatOptions cat;
  bool hive = false;

  TypeWords words() const { return hive ? TypeWords::kHive : TypeWords::kArrow; }
};

boost::json::object ToJson(const LakeObject& object) {
  boost::json::object json{
      {"path", object.path}, {"format", object.format}, {"rows", object.rows}, {"bytes", object.bytes}};
  if (object.facts) {
    boost::json::array ranges;
    for (const delivery::SourceRange& range : object.facts->metadata.ranges) {
      ranges.push_back({{"shard", range.shard.value}, {"first", range.first.value}, {"last", range.last.value}});
    }
    json["stream"] = object.facts->metadata.stream;
    json["delivery_stream"] = object.facts->metadata.delivery_stream;
    json["ranges"] = std::move(ranges);
  }
  if (!object.problem.empty()) json["problem"] = object.problem;
  return json;
}

bool PrintJson(Context& context, const LakePaths& paths) {
  auto objects = ListLake(paths);
  if (!objects) return context.Fail(objects.error());
  for (const LakeObject& object : *objects) fmt::print("{}\n", boost::json::serialize(ToJson(object)));
  const Status damage = LakeDamage(*objects);
  return damage.ok() || context.Fail(damage);
}

bool PrintSchemaJson(Context& context, const LakePaths& paths, TypeWords words) {
  auto schemas = ListLakeSchemas(paths, words);
  if (!schemas) return context.Fail(schemas.error());
  boost::json::array all;
  for (const auto& [columns, objects] : *schemas) {
    boost::json::array list;
    for (const auto& [name, type] : columns) list.push_back({{"name", name}, {"type", type}});
    all.push_back({{"objects", objects}, {"columns", std::move(list)}});
  }
  fmt::print("{}\n", boost::json::serialize(all));
  return true;
}

bool Print(Context& context, const std::function<Status(std::ostream&)>& print) {
  const Status status = print(std::cout);
  std::cout.flush();
  return status.ok() || context.Fail(status);
}

}  // namespace

void RegisterLakeCommands(CLI::App& app, Context& context) {
  CLI::App* lake = app.add_subcommand("lake", "Read delivered objects: ls, cat, schema, count");
  lake->require_subcommand(1);
  auto arguments = std::make_shared<LakeArguments>();
  const auto add = [&](const std::string& name, const std::string& help) {
    CLI::App* command = lake->add_subcommand(name, help);
    command->add_option("PATH", arguments->paths, "Objects, or directories with all objects below them")
        ->required()
        ->expected(1, -1);
    return command;
  };

  add("ls", "List objects with their rows, bytes and source ranges")->callback([=, &context] {
    if (context.json) {
      PrintJson(context, arguments->paths);
    } else {
      Print(context, [&](std::ostream& out) { return PrintLakeList(arguments->paths, out); });
    }
  });
  CLI::App* cat = add("cat", "Print rows as JSON lines, or as a table");
  cat->add_option("--limit", arguments->cat.rows_max, "Stop after so many rows")
      ->check(WholeNumber(1, ~std::uint64_t{0}))
      ->type_name("N");
  cat->add_flag("--table", arguments->cat.table, "Aligned columns (Parquet, ORC)");
  cat->footer("Example:\n  sluice lake cat ./lake/warehouse/orders --limit 5");
  cat->callback([=, &context] {
    CatOptions options = arguments->cat;
    options.table = options.table && !context.json;
    Print(context, [&](std::ostream& out) { return PrintLakeRows(arguments->paths, options, out); });
  });
  CLI::App* schema = add("schema", "Print the columns and their types");
  schema->add_flag("--hive", arguments->hive, "Types as Hive, Athena and Trino name them");
  schema->callback([=, &context] {
    if (context.json) {
      PrintSchemaJson(context, arguments->paths, arguments->words());
      return;
    }
    Print(context, [&](std::ostream& out) { return PrintLakeSchema(arguments->paths, arguments->words(), out); });
  });
  add("count", "Count objects, rows and bytes")->callback([=, &context] {
    if (!context.json) {
      Print(context, [&](std::ostream& out) { return PrintLakeCount(arguments->paths, out); });
      return;
    }
    auto objects = ListLake(arguments->paths);
    const Status status = objects ? LakeDamage(*objects) : objects.error();
    if (!status.ok()) {
      context.Fail(status);
      return;
    }
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (const LakeObject& object : *objects) rows += object.rows, bytes += object.bytes;
    fmt::print("{}\n", boost::json::serialize(
                           boost::json::object{{"objects", objects->size()}, {"rows", rows}, {"bytes", bytes}}));
  });
}

}  // namespace sluice::tools
