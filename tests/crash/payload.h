// The bytes of record `sequence` of `producer`; check_history.py makes the same, so that no record has to be kept for
// comparison. Values only; safe everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::crash {

/// "NAME:SEQUENCE", the key of the record.
std::string RecordKey(std::string_view producer, std::uint64_t sequence);

/// Mostly 10 to 209 bytes, one in 50 up to 60,000: a function of the two arguments alone.
std::string Payload(std::string_view producer, std::uint64_t sequence);

std::string Md5Hex(std::string_view bytes);
std::string Hex(std::string_view bytes);

}  // namespace sluice::crash
