// Lines of records to the process and back. Where one line fails, its records are asked for one by one, so that the one
// that the program does not get along with is told from the others.
#include "broker/delivery/processing/jq_worker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>

#include <filesystem>

namespace sluice::delivery {
namespace {

/// The process bounds its own processor time; this is for a machine that does not give it any.
constexpr ExchangeBounds kBounds{.timeout_ms = 120'000, .answer_bytes_max = 64u << 20};
constexpr std::size_t kSaidMax = 2048;

/// The keys or the error of one item of an answer; false where it is something else.
bool ReadAnswer(simdjson::dom::element item, JqAnswer& answer) {
  std::string_view error;
  if (item["error"].get(error) == simdjson::SUCCESS) {
    answer.error = error;
    return true;
  }
  simdjson::dom::object keys;
  if (item["keys"].get(keys) != simdjson::SUCCESS) return false;
  for (const simdjson::dom::key_value_pair key : keys) {
    std::string_view value;
    if (!key.value.is_null() && key.value.get(value) != simdjson::SUCCESS) return false;
    answer.keys.emplace_back(key.key, value);
  }
  return true;
}

std::optional<std::vector<JqAnswer>> ReadAnswers(std::string_view line, std::size_t expected) {
  simdjson::dom::parser parser;
  simdjson::dom::array items;
  if (parser.parse(line.data(), line.size()).get(items) != simdjson::SUCCESS) return std::nullopt;
  std::vector<JqAnswer> answers;
  for (const simdjson::dom::element item : items) {
    if (!ReadAnswer(item, answers.emplace_back())) return std::nullopt;
  }
  if (answers.size() != expected) return std::nullopt;
  return answers;
}

}  // namespace

JqWorker::JqWorker(std::string path, std::string program, std::function<bool()> stop)
    : stop_(std::move(stop)), process_({std::move(path), std::move(program)}, [this](std::string_view said) {
        if (said_.size() < kSaidMax) said_ += fmt::format("{}{}", said_.empty() ? "" : " ", said);
      }) {}

Result<std::string> JqWorker::Exchange(std::string_view line) {
  if (!process_.Running()) said_.clear();
  return process_.Exchange(line, kBounds, stop_);  // where that fails, the process has said all by then
}

Result<std::vector<JqAnswer>> JqWorker::ReadTogether(std::span<const std::string> records) {
  const Result<std::string> line = Exchange(fmt::format("[{}]", fmt::join(records, ",")));
  if (!line) return Error(line.error());
  std::optional<std::vector<JqAnswer>> answers = ReadAnswers(*line, records.size());
  if (!answers) return Error(Code::kFailedPrecondition, "sluice-jq has answered something else than was asked");
  return std::move(*answers);
}

Result<std::vector<JqAnswer>> JqWorker::Read(std::span<const std::string> records) {
  if (records.empty()) return std::vector<JqAnswer>();
  Result<std::vector<JqAnswer>> together = ReadTogether(records);
  if (together || together.error().code() == Code::kUnavailable) return together;
  if (records.size() == 1) {
    return std::vector<JqAnswer>{
        {.error = fmt::format("the program failed: {}", said_.empty() ? together.error().message() : said_)}};
  }
  std::vector<JqAnswer> answers;
  for (const std::string& record : records) {
    Result<std::vector<JqAnswer>> one = Read(std::span(&record, 1));
    if (!one) return one;
    answers.push_back(std::move(one->front()));
  }
  return answers;
}

Status JqWorker::Check() {
  const Result<std::string> answer = Exchange("[]");
  if (answer) return Status();
  if (answer.error().code() == Code::kUnavailable) return answer.error();
  return Status(Code::kInvalidArgument, said_.empty() ? answer.error().message() : said_);
}

std::string JqProgramPath(const std::string& setting) {
  if (!setting.empty()) return setting;
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path beside = self / "sluice-jq";
  if (std::filesystem::exists(beside, error)) return beside;
  return (self.parent_path() / "lib" / "sluice" / "sluice-jq").string();
}

}  // namespace sluice::delivery
