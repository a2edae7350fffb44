// Prebuilt requests of Kinesis' API over HTTP/1.1, as an SDK sends them, and the loads made of them. Each is signed
// once, which is good for 15 minutes. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/status.h"
#include "tools/bench/broker_process.h"
#include "tools/bench/load_generator.h"

namespace sluice::tools {

enum class Signatures { kIgnored, kVerified };

/// A broker whose AWS port takes requests as made here, whether it verifies them or takes any.
Result<std::unique_ptr<BrokerProcess>> StartKinesisBroker(const BenchOptions& options, Signatures signatures);

/// One request of the operation with this JSON, signed now.
std::string KinesisRequest(std::uint16_t port, std::string_view operation, std::string_view body);
/// PutRecords of `records` records of kRecordBytes with keys of their own; PutRecord of one.
std::string PutRecordsRequest(std::uint16_t port, std::string_view stream, std::size_t records, std::uint64_t seed);
std::string PutRecordRequest(std::uint16_t port, std::string_view stream, std::uint64_t seed);

/// Sends one request on a connection of its own; the whole answer, an error where it is none of success.
Result<std::string> CallKinesis(std::uint16_t port, std::string_view request);

/// A load without requests yet; an answer that refuses a record ends it.
LoadOptions KinesisLoad(std::uint16_t port);

}  // namespace sluice::tools
