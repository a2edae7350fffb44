// An S3 destination as the API has it: what is told of it, how an update changes it, and what it must not be. All
// forms of it are held as ExtendedS3DestinationConfiguration, of which the plain one is a part. Of other destinations:
// what they share with it. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/api/firehose/json_tree.h"
#include "protocol/aws/error.h"

namespace sluice::broker::firehose {

/// Of the only destination that a delivery stream has.
inline constexpr std::string_view kDestinationId = "destinationId-000000000001";

/// ExtendedS3DestinationDescription: with AWS's defaults where nothing was given.
Json Described(const Json& destination);
/// S3DestinationDescription of that: the members that plain destinations have.
Json PlainPart(const Json& described);

/// What an update says, by the names of a configuration.
Json AsConfiguration(Json update);
/// `update`, by those names, has the members that change. Each replaces what was there, but a conversion and the places
/// of S3, whose own members do.
Json Merged(Json destination, const Json& update);

/// Contradictions, and what this broker does not serve: InvalidArgumentException. Of a file a conversion needs
/// no table.
enum class NeedsTable : bool { kNo, kYes };
std::optional<protocol::aws::ApiError> CheckDestination(const Json& destination, NeedsTable needs_table);

/// The rules of parts that other destinations have too; the plain part is S3Configuration there.
std::optional<protocol::aws::ApiError> CheckPlainPart(const Json& destination);
std::optional<protocol::aws::ApiError> CheckHints(const Json& destination);
std::optional<protocol::aws::ApiError> CheckProcessing(const Json& destination);
std::optional<protocol::aws::ApiError> CheckBackup(const Json& destination);
/// Their defaults.
void SetPlainDefaults(Json& destination, bool large);
/// Of a destination that is told: its backup's defaults, and the name that answers have for it.
void DescribeBackup(Json& described);
void SetHintsDefault(Json& destination, std::int64_t size_mb, std::int64_t interval_s);
void SetLoggingDefault(Json& destination);
void SetRetryDefault(Json& destination, std::int64_t seconds);
void SetProcessingDefaults(Json& destination, std::string_view lambda_buffer_mb);

/// True where its processing, which is enabled, has AppendDelimiterToRecord.
bool AppendsDelimiter(const Json& destination);
/// True where its records are converted.
bool Converts(const Json& destination);

/// Whether its source records are kept as well.
bool BacksUp(const Json& destination);

/// Whether it partitions dynamically.
bool Partitions(const Json& destination);

}  // namespace sluice::broker::firehose
