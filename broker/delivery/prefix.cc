// Parsing and evaluation of prefix expressions.
#include "broker/delivery/prefix.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <iterator>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kRandomStringLength = 11;

std::string RandomString(std::uint64_t seed, std::size_t use) {
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::uint64_t value = XXH3_64bits_withSeed(&use, sizeof(use), seed);
  std::string text;
  for (std::size_t i = 0; i < kRandomStringLength; ++i, value /= kDigits.size())
    text += kDigits[value % kDigits.size()];
  return text;
}

std::unexpected<Status> Invalid(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }

/// Literal text that could lead out of the lake directory is a mistake; tell it rather than bend it.
Status CheckLiteral(std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view segment = text.substr(begin, end - begin);
    if (segment == "." || segment == "..")
      return Invalid(fmt::format("the segment '{}' is not allowed in a prefix", segment)).error();
    begin = end + 1;
  }
  const auto control = std::find_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control != text.end()) return Invalid("a control character is not allowed in a prefix").error();
  return Status();
}

}  // namespace

Result<Prefix> Prefix::Parse(std::string_view text, PrefixKind kind) {
  // A Prefix may be as long as is allowed without what is put behind it here, and so may the error prefix made of it.
  const bool has_default_end = kind == PrefixKind::kErrors && text.ends_with(DefaultErrorPrefix(""));
  if (text.size() > kPrefixLengthMax) {
    return Invalid(fmt::format("the prefix has {} characters, at most {} are allowed", text.size(), kPrefixLengthMax));
  }
  if (Status status = CheckLiteral(text); !status.ok()) return Error(std::move(status));
  Prefix prefix;
  prefix.kind_ = kind;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find("!{"), text.size());
    if (start > 0) prefix.parts_.push_back({PartKind::kLiteral, std::string(text.substr(0, start)), {}, 0});
    text.remove_prefix(start);
    if (text.empty()) break;
    const std::size_t end = text.find('}');
    if (end == text.npos) return Invalid(fmt::format("the expression '{}' is not closed with '}}'", text));
    if (Status status = prefix.AddExpression(text.substr(2, end - 2), kind); !status.ok()) {
      return Error(status.WithContext(fmt::format("in the expression '{}'", text.substr(0, end + 1))));
    }
    text.remove_prefix(end + 1);
  }
  const TimeZone utc = TimeZone::Utc();
  const std::vector<std::string_view> values(prefix.partition_keys_.size());  // how long they are shows each record
  constexpr std::string_view kLongestType = "AmazonOpenSearchService-failed";
  constexpr std::size_t kTimeLength = std::string_view("yyyy/MM/dd/HH/").size();
  std::size_t length = prefix.Evaluate({1'700'000'000'000, &utc, 0, kLongestType, values}).size();
  if (prefix.has_implicit_time()) length -= kTimeLength;
  if (has_default_end) length -= kLongestType.size() + 1 + kTimeLength;
  if (length > kPrefixEvaluatedLengthMax) {
    return Invalid(fmt::format("the prefix has {} characters after evaluation, at most {} are allowed", length,
                               kPrefixEvaluatedLengthMax));
  }
  return prefix;
}

Status Prefix::AddExpression(std::string_view expression, PrefixKind kind) {
  const std::size_t colon = expression.find(':');
  if (colon == expression.npos) return Invalid("an expression has the form !{namespace:value}").error();
  const std::string_view space = expression.substr(0, colon);
  const std::string_view value = expression.substr(colon + 1);
  has_expression_ = true;
  if (space == "timestamp") {
    Result<TimePattern> pattern = TimePattern::Parse(value);
    if (!pattern) return pattern.error();
    has_timestamp_ = true;
    parts_.push_back({PartKind::kTimestamp, "", std::move(*pattern), 0});
    return Status();
  }
  if (space == "partitionKeyFromQuery") return AddPartitionKey(PartitionKeySource::kQuery, value, kind);
  if (space == "partitionKeyFromLambda") return AddPartitionKey(PartitionKeySource::kLambda, value, kind);
  if (space != "firehose") {
    return Invalid(fmt::format("'{}' is no namespace; there are timestamp, firehose, partitionKeyFromQuery and "
                               "partitionKeyFromLambda",
                               space))
        .error();
  }
  if (value == "random-string") {
    parts_.push_back({PartKind::kRandomString, "", {}, 0});
    return Status();
  }
  if (value != "error-output-type") {
    return Invalid(fmt::format("'{}' is unknown; firehose has random-string and error-output-type", value)).error();
  }
  if (kind == PrefixKind::kObjects) return Invalid("error-output-type belongs into ErrorOutputPrefix only").error();
  has_error_output_type_ = true;
  parts_.push_back({PartKind::kErrorOutputType, "", {}, 0});
  return Status();
}

Status Prefix::AddPartitionKey(PartitionKeySource source, std::string_view name, PrefixKind kind) {
  if (kind == PrefixKind::kErrors) return Invalid("partition keys belong into Prefix only").error();
  if (name.empty()) return Invalid("the partition key has no name").error();
  const PartitionExpression expression{source, std::string(name)};
  const auto known = std::ranges::find(partition_keys_, expression);
  parts_.push_back({PartKind::kPartitionKey, "", {}, static_cast<std::size_t>(known - partition_keys_.begin())});
  if (known == partition_keys_.end()) partition_keys_.push_back(expression);
  return Status();
}

bool Prefix::has_implicit_time() const {
  return kind_ == PrefixKind::kObjects && !has_timestamp_ && partition_keys_.empty();
}

std::string Prefix::Evaluate(const PrefixContext& context) const {
  SLUICE_CHECK(context.zone != nullptr && context.partition_values.size() == partition_keys_.size());
  const std::int64_t unix_s = context.time_ms >= 0 ? context.time_ms / 1000 : (context.time_ms - 999) / 1000;
  std::string text;
  std::size_t use = 0;
  for (const Part& part : parts_) {
    switch (part.kind) {
      case PartKind::kLiteral:
        text += part.literal;
        break;
      case PartKind::kTimestamp:
        text += part.pattern.Format(unix_s, *context.zone);
        break;
      case PartKind::kRandomString:
        text += RandomString(context.seed, use++);
        break;
      case PartKind::kErrorOutputType:
        text += context.error_output_type;
        break;
      case PartKind::kPartitionKey:
        text += PartitionValue(context.partition_values[part.key]);
        break;
    }
  }
  if (has_implicit_time()) {
    static const TimePattern kImplicit = *TimePattern::Parse("yyyy/MM/dd/HH/");
    text += kImplicit.Format(unix_s, *context.zone);
  }
  return text;
}

std::string DefaultErrorPrefix(std::string_view prefix) {
  return fmt::format("{}{}/{}", prefix, kErrorTypeExpression, kImplicitTimeExpression);
}

std::string ObjectName(std::string_view delivery_stream, std::uint32_t version, const PrefixContext& context,
                       std::string_view uuid, std::string_view extension) {
  static const TimePattern kPattern = *TimePattern::Parse("yyyy-MM-dd-HH-mm-ss");
  SLUICE_CHECK(context.zone != nullptr && uuid.size() == 36);
  return fmt::format("{}-{}-{}-{}{}", delivery_stream, version, kPattern.Format(context.time_ms / 1000, *context.zone),
                     uuid, extension);
}

std::string HashedUuid(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  const std::uint64_t high = (hash.high64 & ~std::uint64_t{0xF000}) | 0x8000;  // version 8: a hash of our own
  const std::uint64_t low = (hash.low64 & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // the RFC's variant
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48,
                     low & 0xFFFF'FFFF'FFFF);
}

std::string PartitionValue(std::string_view value) {
  const bool dots = value == "." || value == "..";
  std::string safe;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte != 0x7F && c != '/' && c != '\\' && c != '%' && !dots;
    if (plain) {
      safe += c;
    } else {
      fmt::format_to(std::back_inserter(safe), "%{:02X}", byte);
    }
  }
  return safe;
}

std::string SafeKey(std::string_view key) {
  std::string safe;
  for (std::size_t begin = 0; begin < key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view segment = key.substr(begin, end - begin);
    const bool dots = segment == "." || segment == "..";
    for (const char c : segment)
      safe += dots || static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '\\' ? '_' : c;
    if (!segment.empty() && end < key.size()) safe += '/';
    begin = end + 1;
  }
  return safe;
}

}  // namespace sluice::delivery
