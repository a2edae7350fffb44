// Walks the records, then looks for a whole one behind the first that does not hold.
#include "storage/rocksdb_log_check.h"

#include <algorithm>
#include <cstdint>

#include "protocol/crc32c.h"

namespace sluice::storage {
namespace {

constexpr std::size_t kBlockBytes = 32u << 10;
constexpr std::size_t kHeaderBytes = 7;
constexpr std::size_t kChangeBytesMin = 12;  // sequence number and count of a RocksDB write batch

enum RecordType : std::uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

std::uint32_t Load32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::uint32_t Mask(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8u; }

struct Record {
  std::uint8_t type = 0;
  std::size_t size = 0;  // with the header; 0: no whole record starts here
};

Record RecordAt(std::string_view log, std::size_t at) {
  const std::size_t block_left = kBlockBytes - at % kBlockBytes;
  const std::string_view bytes = log.substr(at, block_left);
  if (bytes.size() < kHeaderBytes) return {};
  const std::size_t length =
      static_cast<unsigned char>(bytes[4]) | static_cast<std::size_t>(static_cast<unsigned char>(bytes[5])) << 8;
  const auto type = static_cast<std::uint8_t>(bytes[6]);
  if (type < kFull || type > kLast || kHeaderBytes + length > bytes.size()) return {};
  if (Mask(protocol::Crc32c(bytes.substr(6, 1 + length))) != Load32(bytes)) return {};
  return {.type = type, .size = kHeaderBytes + length};
}

std::size_t FirstUnreadable(std::string_view log) {
  std::size_t at = 0;
  while (at < log.size()) {
    const std::size_t block_left = kBlockBytes - at % kBlockBytes;
    const std::size_t step = block_left < kHeaderBytes ? block_left : RecordAt(log, at).size;
    if (step == 0) return at;
    at += step;
  }
  return log.size();
}

}  // namespace

LogCheck CheckLog(std::string_view log) {
  LogCheck check{.readable_bytes = FirstUnreadable(log)};
  for (std::size_t at = check.readable_bytes + 1; at < log.size() && !check.damaged; ++at) {
    const Record record = RecordAt(log, at);
    // A middle or last piece proves nothing: it may belong to the very change whose beginning did not get to the disk.
    check.damaged = (record.type == kFull || record.type == kFirst) && record.size >= kHeaderBytes + kChangeBytesMin;
  }
  return check;
}

}  // namespace sluice::storage
