// sluice generate --template FILE [--stream NAME]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "protocol/units.h"
#include "sluice/producer.h"
#include "tools/generate/pace.h"
#include "tools/generate/template.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/options.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/units.h"
#include "tools/sluice/wait_notice.h"

namespace sluice::tools {

namespace {

struct GenerateArguments {
  std::string file;
  std::string stream;
  std::string key;
  std::string start;
  std::string duration;
  std::optional<double> rate;
  std::optional<std::uint64_t> records;
  std::optional<std::uint64_t> seed;
  bool print = false;
  bool newline = false;
};

/// What is made, with its key, and when it is due.
struct Maker {
  Template record;
  std::optional<Template> key;
  SeededRandom random;
  GenerateSchedule schedule;
  std::uint64_t bytes = 0;  // of all records so far
};

Result<Template> ReadTemplate(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return Error(Code::kNotFound, fmt::format("cannot read the template {}", file));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return Error(Code::kInvalidArgument, fmt::format("the template {} is empty", file));
  return Template::Parse(text, file);
}

Result<GenerateSchedule> ScheduleOf(const GenerateArguments& arguments) {
  GenerateSchedule schedule{.rate = arguments.rate, .records_max = arguments.records};
  if (!schedule.rate && !arguments.stream.empty()) schedule.rate = kGenerateRateDefault;
  if (!arguments.duration.empty()) schedule.duration_ms = protocol::ParseDurationMs(arguments.duration);
  if (!arguments.start.empty()) {
    const auto start = ParsePosition("time:" + arguments.start, NowMs());
    if (!start) return std::unexpected(start.error());
    schedule.start_ms = start->time_ms;
  }
  return schedule;
}

Result<Maker> NewMaker(const GenerateArguments& arguments) {
  auto record = ReadTemplate(arguments.file);
  if (!record) return std::unexpected(record.error());
  std::optional<Template> key;
  if (!arguments.key.empty()) {
    auto parsed = Template::Parse(arguments.key, "--key");
    if (!parsed) return std::unexpected(parsed.error());
    key = std::move(*parsed);
  }
  const auto schedule = ScheduleOf(arguments);
  if (!schedule) return std::unexpected(schedule.error());
  const std::uint64_t seed = arguments.seed.value_or(std::random_device()());
  return Maker{std::move(*record), std::move(key), SeededRandom(seed), *schedule};
}

/// Makes records when they are due and gives each to `take`, until that fails, the end is reached or Ctrl-C comes.
template <typename Take>
Status MakeAll(Maker& maker, bool newline, Take take) {
  GeneratePace pace(maker.schedule, NowMs());
  std::string record;
  std::string key;
  while (pace.WaitForNext([] { return Interrupted(); })) {
    RenderContext context{maker.random, pace.now_ms(), pace.simulated_ms()};
    maker.record.Render(context, record);
    if (newline) record.push_back('\n');
    if (maker.key) maker.key->Render(context, key);
    maker.bytes += record.size();
    if (Status taken = take(key, record, pace.made()); !taken.ok()) return taken;
  }
  return {};
}

bool Print(Context& context, Maker& maker) {
  const Status done = MakeAll(maker, true, [&](const std::string&, const std::string& record, std::uint64_t) {
    const bool written = std::fwrite(record.data(), 1, record.size(), stdout) == record.size();
    if (written && (!maker.schedule.rate || std::fflush(stdout) == 0)) return Status();  // a slow load is watched
    return Status(Code::kIoError, "the output could not be written");
  });
  if (!done.ok()) return context.Fail(done);
  if (Interrupted()) context.exit_code = kExitInterrupted;
  return true;
}

void PrintSummary(const Context& context, const std::string& stream, std::uint64_t bytes, const ProducerStats& stats,
                  double seconds) {
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"stream", stream},
                                                                  {"records", stats.records_acknowledged},
                                                                  {"records_failed", stats.records_failed},
                                                                  {"bytes", bytes},
                                                                  {"seconds", seconds}}));
    return;
  }
  fmt::print("Generated {} ({}) into {} in {:.2f} s{}.\n", FormatCounted(stats.records_acknowledged, "record"),
             FormatSize(bytes), stream, seconds,
             stats.records_failed == 0 ? "" : fmt::format("; {} failed", FormatCount(stats.records_failed)));
}

bool Put(Context& context, const GenerateArguments& arguments, Maker& maker) {
  ProducerOptions options;
  options.client = context.client_options();
  auto producer = Producer::Open(arguments.stream, options);
  if (!producer) return context.FailToConnect(producer.error());
  std::optional<WaitNotice> notice(std::in_place, **producer);
  Progress progress("generate", "record", 0);
  const auto start = std::chrono::steady_clock::now();
  Status failure =
      MakeAll(maker, arguments.newline, [&](const std::string& key, const std::string& record, std::uint64_t count) {
        progress.Update(maker.bytes, count);
        return (*producer)->Send(key, record);
      });
  if (const Status flushed = (*producer)->Flush(); failure.ok()) failure = flushed;
  notice.reset();
  progress.Clear();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  PrintSummary(context, arguments.stream, maker.bytes, (*producer)->stats(), seconds);
  if (!failure.ok()) return context.Fail(failure);
  if (Interrupted()) context.exit_code = kExitInterrupted;
  return true;
}

bool Generate(Context& context, const GenerateArguments& arguments) {
  auto maker = NewMaker(arguments);
  if (!maker && maker.error().code() == Code::kInvalidArgument) return context.FailUsage(maker.error().message());
  if (!maker) return context.Fail(maker.error());
  NoteInterrupts();
  if (arguments.print || arguments.stream.empty()) return Print(context, *maker);
  return Put(context, arguments, *maker);
}

CLI::Validator Duration() {
  const auto check = [](const std::string& text) -> std::string {
    const auto ms = protocol::ParseDurationMs(text);
    return ms && *ms > 0 ? std::string() : fmt::format("'{}' is not a duration, such as 30s or 5m", text);
  };
  return CLI::Validator(check, "");
}

}  // namespace

void RegisterGenerateCommand(CLI::App& app, Context& context) {
  CLI::App* generate = app.add_subcommand(
      "generate", "Make records from a template of the Kinesis Data Generator, as load for a stream");
  auto arguments = std::make_shared<GenerateArguments>();
  generate->add_option("--template", arguments->file, "The template, one record of text with {{calls}}")
      ->type_name("FILE")
      ->required();
  auto* stream = generate->add_option("--stream", arguments->stream, "Where the records go; none: they are printed")
                     ->type_name("NAME");
  generate->add_flag("--print", arguments->print, "Print the records, one a line")->excludes(stream);
  generate
      ->add_option("--rate", arguments->rate, "Records a second; none: 100 into a stream, printed as fast as it goes")
      ->type_name("N")
      ->check(PositiveNumber());
  generate->add_option("--records", arguments->records, "How many; without this and --duration until Ctrl-C")
      ->type_name("N")
      ->check(WholeNumber(1, ~std::uint64_t{0}));
  generate->add_option("--duration", arguments->duration, "For how long, such as 30s or 5m")
      ->type_name("TIME")
      ->check(Duration());
  generate->add_option("--key", arguments->key, "Template of the partition key; none: shards in turn")
      ->type_name("TEMPLATE");
  generate->add_option("--seed", arguments->seed, "The same seed makes the same records; none: other ones each time")
      ->type_name("N")
      ->check(WholeNumber(0, ~std::uint64_t{0}));
  generate
      ->add_option("--start", arguments->start,
                   "The time of the first record, for functions of date; later ones follow by the rate. None: now")
      ->type_name("TIME");
  generate->add_flag("--newline", arguments->newline,
                     "End each record with a newline, as the Kinesis Data Generator does");
  generate->footer(
      "Examples:\n"
      "  sluice generate --template sensors.txt --records 3\n"
      "  sluice generate --template sensors.txt --stream sensors --rate 500 --duration 5m --key '{{random.uuid}}'");
  generate->callback([=, &context] { Generate(context, *arguments); });
}

}  // namespace sluice::tools
