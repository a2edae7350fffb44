// Strict reading of stored JSON.
#include "broker/delivery/state_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

namespace sluice::delivery {
namespace {

template <typename Int>
bool ParseInt(std::string_view text, Int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

const ConfigNode kNothing;

}  // namespace

const ConfigNode* StateReader::Field(std::string_view key, ConfigNode::Kind kind) {
  const ConfigField* field = node_.Find(key);
  if (field != nullptr && field->value.kind == kind) return &field->value;
  Fail(fmt::format("'{}' is {}", key, field == nullptr ? "missing" : "of the wrong kind"));
  return nullptr;
}

std::uint64_t StateReader::U64(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kNumber);
  std::uint64_t value = 0;
  if (field != nullptr && !ParseInt(field->text, value)) Fail(fmt::format("'{}' is not a whole number", key));
  return value;
}

std::int64_t StateReader::I64(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kNumber);
  std::int64_t value = 0;
  if (field != nullptr && !ParseInt(field->text, value)) Fail(fmt::format("'{}' is not a whole number", key));
  return value;
}

std::uint32_t StateReader::U32(std::string_view key) {
  const std::uint64_t value = U64(key);
  if (value > std::numeric_limits<std::uint32_t>::max()) Fail(fmt::format("'{}' is too large", key));
  return static_cast<std::uint32_t>(value);
}

std::string StateReader::String(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kString);
  return field == nullptr ? "" : field->text;
}

bool StateReader::Bool(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kBool);
  return field != nullptr && field->text == "true";
}

std::uint64_t StateReader::Checksum(std::string_view key) {
  const std::string checksum = String(key);
  if (checksum.size() == 16 && checksum.find_first_not_of("0123456789abcdef") == checksum.npos)
    return std::stoull(checksum, nullptr, 16);
  Fail(fmt::format("'{}' is not 16 hexadecimal digits", key));
  return 0;
}

const std::vector<ConfigNode>& StateReader::List(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kList);
  return field == nullptr ? kNothing.items : field->items;
}

const ConfigNode& StateReader::Map(std::string_view key) {
  const ConfigNode* field = Field(key, ConfigNode::Kind::kMap);
  return field == nullptr ? kNothing : *field;
}

void StateReader::Fail(std::string_view why) { Keep(Status(Code::kCorruption, fmt::format("{}: {}", what_, why))); }

void StateReader::Keep(const Status& status) {
  if (status_.ok()) status_ = status;
}

}  // namespace sluice::delivery
