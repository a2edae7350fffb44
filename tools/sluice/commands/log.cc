// sluice log dump FILE: what stands in a journal file or a segment, frame by frame, without a broker.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "protocol/batch.h"
#include "tools/logdump/logdump.h"
#include "tools/sluice/commands/commands.h"
#include "tools/sluice/units.h"

namespace sluice::tools {

namespace {

std::string CheckOf(const DumpedFrame& frame) {
  if (!frame.status.ok()) return frame.status.message();
  return frame.data_key ? fmt::format("ok, sealed with data key {}", *frame.data_key) : "ok";
}

boost::json::value ToJson(std::optional<std::uint32_t> number) {
  return number ? boost::json::value(*number) : boost::json::value(nullptr);
}

void PrintFrame(const Context& context, const DumpedFrame& frame) {
  const protocol::FrameHeader& header = frame.header;
  if (context.json) {
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"position", frame.position},
                                                                  {"stream_id", header.shard.stream.value},
                                                                  {"shard", header.shard.index.value},
                                                                  {"base_offset", header.base_offset.value},
                                                                  {"records", header.record_count},
                                                                  {"bytes", header.total_size()},
                                                                  {"append_time_ms", header.append_time_ms},
                                                                  {"durable_upto", header.durable_upto.value},
                                                                  {"data_key", ToJson(frame.data_key)},
                                                                  {"valid", frame.status.ok()}}));
    return;
  }
  fmt::print("{:>12} {:>8} {:>14} {:>8} {:>10}  {}  {}\n", frame.position, ToString(header.shard),
             header.base_offset.value, header.record_count, header.total_size(), FormatTime(header.append_time_ms),
             CheckOf(frame));
}

bool Dump(Context& context, const std::string& file) {
  bool first = !context.json;
  auto summary = DumpLogFile(file, [&](const DumpedFrame& frame) {
    if (std::exchange(first, false)) {
      fmt::print("{:>12} {:>8} {:>14} {:>8} {:>10}  {:<24}  {}\n", "POSITION", "SHARD", "OFFSET", "RECORDS", "BYTES",
                 "APPENDED", "CHECK");
    }
    PrintFrame(context, frame);
  });
  if (!summary) return context.Fail(summary.error());
  if (!context.json) {
    fmt::print("{}{}: {}, {}, {} damaged.\n", first ? "" : "\n", summary->kind, FormatCounted(summary->frames, "frame"),
               FormatCounted(summary->records, "record"), FormatCount(summary->damaged));
  }
  if (summary->damaged > 0) context.exit_code = kExitDamaged;
  return true;
}

}  // namespace

void RegisterLogCommands(CLI::App& app, Context& context) {
  CLI::App* log = app.add_subcommand("log", "Look into journal and segment files");
  log->require_subcommand(1);
  CLI::App* dump = log->add_subcommand("dump", "Print the frames of a journal file or segment");
  auto file = std::make_shared<std::string>();
  dump->add_option("FILE", *file, "A file below DATA/journal or DATA/segments")->required();
  dump->footer("Example:\n  sluice log dump /var/lib/sluice/data/segments/00000001-00000000-0000000000000000.seg");
  dump->callback([=, &context] { Dump(context, *file); });
}

}  // namespace sluice::tools
