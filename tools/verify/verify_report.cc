// What was proven, or not: for people and as JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "broker/delivery/delivery_terms.h"
#include "protocol/json_writer.h"
#include "tools/sluice/units.h"
#include "tools/verify/verify.h"

namespace sluice::tools {
namespace {

using delivery::SourceRange;

std::string RangesText(const std::vector<SourceRange>& ranges) {
  std::string text;
  for (const SourceRange& range : ranges) {
    text += fmt::format("{}shard {}: {}-{}", text.empty() ? "" : ", ", range.shard.value, range.first.value,
                        range.last.value);
  }
  return text;
}

/// Behind the number of records in errors.
std::string ErrorsNote(const VerifyReport& report) {
  std::string note;
  if (report.dead_letters > 0) note += fmt::format(" ({} of a dead-letter stream)", FormatCount(report.dead_letters));
  if (report.dead_letters_gone > 0) {
    const bool one = report.dead_letters_gone == 1;
    note += fmt::format(" ({} of these {} no longer there, by its retention or with it, and {} not looked at)",
                        FormatCount(report.dead_letters_gone), one ? "is" : "are", one ? "was" : "were");
  }
  if (report.replayed > 0) note += fmt::format(" ({} were, and were delivered again)", FormatCount(report.replayed));
  return note;
}

void WriteRanges(std::string_view key, const std::vector<SourceRange>& ranges, protocol::JsonWriter& json) {
  json.Key(key).BeginList();
  for (const SourceRange& range : ranges) {
    json.BeginObject().Key("shard").Number(range.shard.value).Key("first").Number(range.first.value);
    json.Key("last").Number(range.last.value).EndObject();
  }
  json.EndList();
}

}  // namespace

std::string VerifyReportText(const VerifyReport& report) {
  std::string text = fmt::format(
      "delivery stream {} of stream {}: {} of {}{}\n"
      "  in the lake  {} ({}, {} with {} below {})\n"
      "  in errors    {}{}\n"
      "  filtered     {}\n",
      report.name, report.stream, FormatCounted(report.records, "record"), FormatCounted(report.shards.size(), "shard"),
      report.user_records == report.records
          ? ""
          : fmt::format(", {} with aggregates opened", FormatCount(report.user_records)),
      FormatCount(report.in_lake), FormatCounted(report.rows, "row"), FormatCounted(report.objects, "object"),
      FormatSize(report.bytes), fmt::join(report.directories, " and "), FormatCount(report.in_errors),
      ErrorsNote(report), FormatCount(report.filtered));
  if (!report.endpoint.empty() || report.sent > 0) {
    text += fmt::format("  sent         {} (acknowledged by {}; what it did with them only it can say)\n",
                        FormatCount(report.sent),
                        report.endpoint.empty() ? "an endpoint that it had before" : report.endpoint);
  }
  if (report.loaded_rows + report.skipped_rows > 0) {
    text += fmt::format("  loaded       {} (committed by the cluster){}\n", FormatCounted(report.loaded_rows, "row"),
                        report.skipped_rows == 0
                            ? ""
                            : fmt::format(", {} skipped: their manifests are in {}/", FormatCount(report.skipped_rows),
                                          delivery::kSkippedManifests));
  }
  if (report.in_backup > 0) {
    text += fmt::format("  in backup    {}, as they came ({})\n", FormatCount(report.in_backup),
                        FormatCounted(report.backup_objects, "object"));
  }
  if (report.lost > 0) text += fmt::format("  lost         {}\n", FormatCount(report.lost));
  if (!report.given_up.empty()) {
    text +=
        fmt::format("  given up     {} (lost by the log, 'sluice stream accept-loss')\n", RangesText(report.given_up));
  }
  if (report.earlier > 0) {
    text += fmt::format("  besides      {} of an earlier delivery stream of this name, of other records\n",
                        FormatCounted(report.earlier, "object"));
  }
  for (const VerifyProblem& problem : report.problems) {
    text += fmt::format("PROBLEM {}: {}{}{}", problem.kind, problem.object, problem.object.empty() ? "" : ": ",
                        problem.message);
    text += problem.ranges.empty() ? "\n" : fmt::format(" ({})\n", RangesText(problem.ranges));
  }
  text += report.ok() ? fmt::format("PROVEN: every record {}is in exactly one place",
                                    report.given_up.empty() ? "" : "but those given up ")
                      : fmt::format("NOT PROVEN: {}", FormatCounted(report.problems.size(), "problem"));
  return text;
}

std::string VerifyReportJson(const VerifyReport& report) {
  protocol::JsonWriter json;
  json.BeginObject().Key("name").String(report.name).Key("stream").String(report.stream);
  json.Key("directory").String(report.directory).Key("directories").BeginList();
  for (const std::string& directory : report.directories) json.String(directory);
  json.EndList().Key("proven").Bool(report.ok());
  delivery::WriteShards(report.shards, json);
  json.Key("records").Number(report.records).Key("user_records").Number(report.user_records);
  json.Key("in_lake").Number(report.in_lake).Key("in_errors").Number(report.in_errors);
  json.Key("filtered")
      .Number(report.filtered)
      .Key("in_backup")
      .Number(report.in_backup)
      .Key("lost")
      .Number(report.lost)
      .Key("rows")
      .Number(report.rows);
  if (report.dead_letters > 0) {
    json.Key("dead_letters").Number(report.dead_letters);
    json.Key("dead_letters_gone").Number(report.dead_letters_gone);
  }
  if (!report.endpoint.empty() || report.sent > 0)
    json.Key("sent").Number(report.sent).Key("endpoint").String(report.endpoint);
  if (report.loaded_rows + report.skipped_rows > 0)
    json.Key("loaded_rows").Number(report.loaded_rows).Key("skipped_rows").Number(report.skipped_rows);
  json.Key("objects").Number(report.objects).Key("bytes").Number(report.bytes);
  json.Key("earlier_objects").Number(report.earlier);
  WriteRanges("given_up", report.given_up, json);
  json.Key("problems").BeginList();
  for (const VerifyProblem& problem : report.problems) {
    json.BeginObject().Key("kind").String(problem.kind).Key("object").String(problem.object);
    json.Key("message").String(problem.message);
    WriteRanges("ranges", problem.ranges, json);
    json.EndObject();
  }
  json.EndList().EndObject();
  return json.text();
}

}  // namespace sluice::tools
