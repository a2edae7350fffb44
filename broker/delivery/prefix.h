// Object keys: Firehose's prefix expressions (`!{namespace:value}`) and the name that follows them.
//
//     <prefix><delivery stream>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid><extension>
//
// Everything is a pure function of its arguments: the time is that of the oldest record in the object, random strings
// and the uuid are hashes of the range, so that an object that is written again gets the same key. Keys are safe as
// paths: no empty segment, no "." or "..", no control character. Values only; safe to share between threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/time_pattern.h"
#include "broker/delivery/time_zone.h"
#include "sluice/status.h"

namespace sluice::delivery {

inline constexpr std::string_view kErrorTypeExpression = "!{firehose:error-output-type}";
inline constexpr std::string_view kImplicitTimeExpression = "!{timestamp:yyyy/MM/dd/HH/}";
inline constexpr std::size_t kPrefixLengthMax = 1024;          // as written
inline constexpr std::size_t kPrefixEvaluatedLengthMax = 512;  // after evaluation, without the implicit time

enum class PrefixKind { kObjects, kErrors };

/// Where the value of an expression of dynamic partitioning comes from.
enum class PartitionKeySource { kQuery, kLambda };

/// `!{partitionKeyFromQuery:name}` or `!{partitionKeyFromLambda:name}`.
struct PartitionExpression {
  PartitionKeySource source = PartitionKeySource::kQuery;
  std::string name;
  friend bool operator==(const PartitionExpression&, const PartitionExpression&) = default;
};

/// What the expressions of one object are evaluated with.
struct PrefixContext {
  std::int64_t time_ms = 0;  // append time of the oldest record in the object
  const TimeZone* zone = nullptr;
  std::uint64_t seed = 0;                                   // of the random strings
  std::string_view error_output_type;                       // "format-conversion-failed"; for kErrors
  std::span<const std::string_view> partition_values = {};  // of Prefix::partition_keys(), in their order
};

class Prefix {
 public:
  /// kInvalidArgument says what is wrong with which expression.
  static Result<Prefix> Parse(std::string_view text, PrefixKind kind);

  bool has_expression() const { return has_expression_; }
  bool has_timestamp() const { return has_timestamp_; }
  bool has_error_output_type() const { return has_error_output_type_; }

  /// Those of dynamic partitioning, each once.
  const std::vector<PartitionExpression>& partition_keys() const { return partition_keys_; }

  /// The evaluated prefix; where an object prefix has neither a timestamp expression nor one of dynamic partitioning,
  /// `yyyy/MM/dd/HH/` follows it as it is. Values of partition keys are made safe (PartitionValue).
  std::string Evaluate(const PrefixContext& context) const;

 private:
  enum class PartKind { kLiteral, kTimestamp, kRandomString, kErrorOutputType, kPartitionKey };
  struct Part {
    PartKind kind = PartKind::kLiteral;
    std::string literal;
    TimePattern pattern;
    std::size_t key = 0;  // in partition_keys_
  };
  Status AddExpression(std::string_view expression, PrefixKind kind);
  Status AddPartitionKey(PartitionKeySource source, std::string_view name, PrefixKind kind);
  bool has_implicit_time() const;

  std::vector<Part> parts_;
  std::vector<PartitionExpression> partition_keys_;
  PrefixKind kind_ = PrefixKind::kObjects;
  bool has_expression_ = false;
  bool has_timestamp_ = false;
  bool has_error_output_type_ = false;
};

/// The error prefix that holds where none is given: "<prefix><error-output-type>/yyyy/MM/dd/HH/".
std::string DefaultErrorPrefix(std::string_view prefix);

/// "<stream>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid><extension>".
std::string ObjectName(std::string_view delivery_stream, std::uint32_t version, const PrefixContext& context,
                       std::string_view uuid, std::string_view extension);

/// A uuid (version 8) that is a hash of `text`.
std::string HashedUuid(std::string_view text);

/// A partition key's value as it stands in a key: '/', '\\', '%' and control characters as %XX, so that it is one
/// segment and no two values become the same one.
std::string PartitionValue(std::string_view value);

/// The key without empty segments; "." and ".." become "_" and "__", control characters and '\\' become '_'.
std::string SafeKey(std::string_view key);

}  // namespace sluice::delivery
