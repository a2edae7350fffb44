// Key by key reading of configuration maps.
#include "broker/delivery/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "protocol/ascii.h"
#include "protocol/suggest.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kProblemsMax = 20;

/// Whole numbers may be written as "5", 5 or 5.0.
std::optional<std::int64_t> WholeNumber(const std::string& text) {
  std::int64_t whole = 0;
  const char* end = text.data() + text.size();
  if (const auto [stop, error] = std::from_chars(text.data(), end, whole); error == std::errc() && stop == end)
    return whole;
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || std::abs(number) > 1e15 || number != std::floor(number))
    return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace

void ConfigReport::Add(std::vector<std::string>& list, int line, std::string_view key, std::string_view what) {
  if (&list == &problems_) only_not_served_ = false;
  if (document_name_.empty()) return list.push_back(key.empty() ? std::string(what) : fmt::format("{}: {}", key, what));
  list.push_back(key.empty() ? fmt::format("{}:{}: {}", document_name_, line, what)
                             : fmt::format("{}:{}: {}: {}", document_name_, line, key, what));
}

void ConfigReport::NotServed(int line, std::string_view key, std::string_view what) {
  const bool before = only_not_served_;
  Problem(line, key, what);
  only_not_served_ = before;
}

Status ConfigReport::status() const {
  if (problems_.empty()) return Status();
  std::string text;
  for (std::size_t i = 0; i < std::min(problems_.size(), kProblemsMax); ++i)
    text += (i == 0 ? "" : "\n") + problems_[i];
  if (problems_.size() > kProblemsMax) text += fmt::format("\nand {} more", problems_.size() - kProblemsMax);
  return Status(only_not_served_ ? Code::kUnimplemented : Code::kInvalidArgument, std::move(text));
}

MapReader::MapReader(ConfigReport& report, const ConfigNode& node, std::string path)
    : report_(&report), node_(&node), path_(std::move(path)) {
  if (node.kind == ConfigNode::Kind::kMap) return;
  report.Problem(node.line, path_, fmt::format("must be a map of keys and values, not {}", KindName(node.kind)));
}

std::string MapReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

int MapReader::LineOf(std::string_view key) const {
  for (const ConfigField& field : node_->fields) {
    if (PlainWord(field.key) == PlainWord(key)) return field.line;
  }
  return node_->line;
}

const ConfigField* MapReader::Take(std::string_view key) {
  known_.emplace_back(key);
  const ConfigField* found = node_->Find(key);
  if (found == nullptr) {
    for (const ConfigField& field : node_->fields) {
      if (taken_.contains(&field) || PlainWord(field.key) != PlainWord(key)) continue;
      report_->Warn(field.line, PathOf(field.key), fmt::format("taken as {}", key));
      found = &field;
      break;
    }
  }
  if (found == nullptr) return nullptr;
  taken_.insert(found);
  return found->value.kind == ConfigNode::Kind::kNull ? nullptr : found;
}

std::optional<std::string> MapReader::String(std::string_view key) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return std::nullopt;
  if (field->value.kind == ConfigNode::Kind::kString || field->value.kind == ConfigNode::Kind::kNumber)
    return field->value.text;
  report_->Problem(field->line, PathOf(key), fmt::format("must be a string, not {}", KindName(field->value.kind)));
  return std::nullopt;
}

std::optional<bool> MapReader::Bool(std::string_view key) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return std::nullopt;
  const std::string word = PlainWord(field->value.text);
  const bool scalar = field->value.kind == ConfigNode::Kind::kBool || field->value.kind == ConfigNode::Kind::kString;
  if (scalar && (word == "true" || word == "false")) return word == "true";
  report_->Problem(field->line, PathOf(key), fmt::format("must be true or false, not {}", KindName(field->value.kind)));
  return std::nullopt;
}

std::optional<std::int64_t> MapReader::Int(std::string_view key, std::int64_t min, std::int64_t max) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return std::nullopt;
  const bool scalar = field->value.kind == ConfigNode::Kind::kNumber || field->value.kind == ConfigNode::Kind::kString;
  const std::optional<std::int64_t> number = scalar ? WholeNumber(field->value.text) : std::nullopt;
  if (!number) {
    report_->Problem(field->line, PathOf(key), "must be a whole number");
    return std::nullopt;
  }
  if (*number < min || *number > max) {
    report_->Problem(field->line, PathOf(key), fmt::format("must be between {} and {}, not {}", min, max, *number));
    return std::nullopt;
  }
  return number;
}

std::optional<double> MapReader::Real(std::string_view key, double min, double max) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return std::nullopt;
  const bool scalar = field->value.kind == ConfigNode::Kind::kNumber || field->value.kind == ConfigNode::Kind::kString;
  const std::string& text = field->value.text;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!scalar || error != std::errc() || end != text.data() + text.size() || !(number >= min && number <= max)) {
    report_->Problem(field->line, PathOf(key), fmt::format("must be a number between {} and {}", min, max));
    return std::nullopt;
  }
  return number;
}

std::optional<MapReader> MapReader::Map(std::string_view key) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return std::nullopt;
  return MapReader(*report_, field->value, PathOf(key));
}

const ConfigNode* MapReader::List(std::string_view key) {
  const ConfigField* field = Take(key);
  if (field == nullptr) return nullptr;
  if (field->value.kind == ConfigNode::Kind::kList) return &field->value;
  report_->Problem(field->line, PathOf(key), fmt::format("must be a list, not {}", KindName(field->value.kind)));
  return nullptr;
}

std::vector<std::string> MapReader::Strings(std::string_view key) {
  std::vector<std::string> strings;
  const ConfigNode* list = List(key);
  if (list == nullptr) return strings;
  for (const ConfigNode& item : list->items) {
    if (item.kind == ConfigNode::Kind::kString) {
      strings.push_back(item.text);
    } else {
      report_->Problem(item.line, PathOf(key),
                       fmt::format("must be a list of strings; one is {}", KindName(item.kind)));
    }
  }
  return strings;
}

void MapReader::Ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) Take(key);
}

void MapReader::Finish() {
  for (const ConfigField& field : node_->fields) {
    if (taken_.contains(&field)) continue;
    report_->Problem(field.line, PathOf(field.key),
                     fmt::format("unknown key{}", protocol::DidYouMean(field.key, known_)));
  }
}

std::string PlainWord(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c != '-' && c != '_' && c != ' ') word += protocol::Lower(c);
  }
  return word;
}

}  // namespace sluice::delivery
