// sluice put NAME [FILE..]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/producer.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/input.h"
#include "tools/sluice/interrupt.h"
#include "tools/sluice/options.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/record_parser.h"
#include "tools/sluice/units.h"
#include "tools/sluice/wait_notice.h"

namespace sluice::tools {

namespace {

enum class BadLines { kStop, kSkip };

struct PutArguments {
  std::string name;
  std::vector<std::string> files;
  std::string key;
  std::string key_field;
  std::string parse = "raw";
  Ack ack = Ack::kDurable;
  CompressionType compression = CompressionType::kNone;
  BadLines bad_lines = BadLines::kStop;
};

/// Feeds lines to the producer and keeps count.
class Putter {
 public:
  Putter(Producer& producer, const PutArguments& arguments, RecordParser& parser, Progress& progress)
      : producer_(producer), arguments_(arguments), parser_(parser), progress_(progress) {
    if (!arguments.key_field.empty()) key_.emplace(arguments.key_field);
  }

  bool Take(const InputLine& line) {
    Status status = Put(line);
    if (!status.ok()) {
      if (first_error_.ok()) first_error_ = status.WithContext(fmt::format("{}:{}", line.file, line.number));
      ++lines_refused_;
      if (arguments_.bad_lines == BadLines::kStop) return false;
    }
    progress_.Update(line.bytes_read, records_);
    return !Interrupted();
  }

  std::uint64_t records() const { return records_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t lines_refused() const { return lines_refused_; }
  const Status& first_error() const { return first_error_; }

 private:
  Status Put(const InputLine& line) {
    auto record = parser_.Parse(line.text);
    if (!record) return record.error();
    if (!*record) return {};
    std::string key = arguments_.key;
    if (key_) {
      auto extracted = key_->Extract(**record);
      if (!extracted) return extracted.error();
      key = std::move(*extracted);
    }
    if (Status sent = producer_.Send(key, **record); !sent.ok()) return sent;
    ++records_;
    bytes_ += (*record)->size();
    return {};
  }

  Producer& producer_;
  const PutArguments& arguments_;
  RecordParser& parser_;
  Progress& progress_;
  std::optional<KeyExtractor> key_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lines_refused_ = 0;
  Status first_error_;
};

std::string_view AckName(Ack ack) {
  switch (ack) {
    case Ack::kDurable:
      return "durable";
    case Ack::kWritten:
      return "written";
    case Ack::kNone:
      return "none";
  }
  return "unknown";
}

void PrintSummary(const Context& context, const PutArguments& arguments, const Putter& putter,
                  const ProducerStats& stats, double seconds) {
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"stream", arguments.name},
                                                                  {"records", stats.records_acknowledged},
                                                                  {"records_failed", stats.records_failed},
                                                                  {"lines_refused", putter.lines_refused()},
                                                                  {"bytes", putter.bytes()},
                                                                  {"seconds", seconds},
                                                                  {"ack", AckName(arguments.ack)}}));
    return;
  }
  const std::string_view ack = AckName(arguments.ack);
  if (stats.records_failed == 0) {
    fmt::print("Put {} ({}) into {} in {:.2f} s, acknowledged {}.\n", FormatCounted(putter.records(), "record"),
               FormatSize(putter.bytes()), arguments.name, seconds, ack);
  } else {
    fmt::print("Put {} of {} into {} in {:.2f} s, acknowledged {}; {} failed.\n",
               FormatCount(stats.records_acknowledged), FormatCounted(putter.records(), "record"), arguments.name,
               seconds, ack, FormatCount(stats.records_failed));
  }
  if (putter.lines_refused() > 0)
    fmt::print("{} refused.\n", FormatCounted(putter.lines_refused(), "line was", "lines were"));
}

bool Put(Context& context, const PutArguments& arguments) {
  auto parser = NewRecordParser(arguments.parse);
  if (!parser) return context.FailUsage(parser.error().message());
  ProducerOptions options;
  options.client = context.client_options();
  options.ack = arguments.ack;
  options.compression = arguments.compression;
  auto producer = Producer::Open(arguments.name, options);
  if (!producer) return context.FailToConnect(producer.error());

  NoteInterrupts();
  std::optional<WaitNotice> notice(std::in_place, **producer);
  const auto start = std::chrono::steady_clock::now();
  Progress progress("put", "record", TotalBytes(arguments.files));
  Putter putter(**producer, arguments, **parser, progress);
  const Status read = ForEachLine(arguments.files, **parser, [&](const InputLine& line) { return putter.Take(line); });
  const Status flushed = (*producer)->Flush();
  notice.reset();
  progress.Clear();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Status failure = putter.first_error();
  if (!read.ok()) failure = read;
  if (!flushed.ok()) failure = flushed;
  if (context.json || failure.ok() || putter.records() > 0)
    PrintSummary(context, arguments, putter, (*producer)->stats(), seconds);
  if (!failure.ok()) return context.Fail(failure);
  if (Interrupted()) context.exit_code = kExitInterrupted;
  return true;
}

const Choices<Ack> kAcks{{"durable", Ack::kDurable}, {"written", Ack::kWritten}, {"none", Ack::kNone}};
const Choices<CompressionType> kCompressions{{"none", CompressionType::kNone},
                                             {"gzip", CompressionType::kGzip},
                                             {"snappy", CompressionType::kSnappy},
                                             {"lz4", CompressionType::kLz4},
                                             {"zstd", CompressionType::kZstd}};
const Choices<BadLines> kBadLines{{"stop", BadLines::kStop}, {"skip", BadLines::kSkip}};

}  // namespace

void RegisterPutCommand(CLI::App& app, Context& context) {
  CLI::App* put = app.add_subcommand("put", "Put lines of files or of standard input into a stream, one record each");
  auto arguments = std::make_shared<PutArguments>();
  AddStreamName(*put, arguments->name);
  put->add_option("FILE", arguments->files, "Files to read; none or '-': standard input");
  auto* key = put->add_option("--key", arguments->key, "Partition key of every record; none: shards in turn");
  put->add_option("--key-field", arguments->key_field,
                  "Take the partition key from this field of the JSON record, such as user.id")
      ->type_name("FIELD")
      ->excludes(key);
  put->add_option("--parse", arguments->parse,
                  fmt::format("How lines become records: {}", fmt::join(RecordParserNames(), ", ")))
      ->type_name("FORMAT")
      ->capture_default_str();
  AddChoice(*put, "--ack", arguments->ack, kAcks, "When a record counts as put; durable is flushed to disk");
  AddChoice(*put, "--compression", arguments->compression, kCompressions, "How batches travel and are stored");
  AddChoice(*put, "--bad-lines", arguments->bad_lines, kBadLines,
            "What to do with a line that cannot be parsed: stop there, or skip and count it");
  put->footer(
      "Examples:\n"
      "  sluice put orders orders.ndjson --key-field customer.id\n"
      "  sluice put flights flights.csv --parse csv --key-field carrier\n"
      "  tail -F access.log | sluice put web --parse COMBINEDAPACHELOG --key-field host");
  put->callback([=, &context] { Put(context, *arguments); });
}

}  // namespace sluice::tools
