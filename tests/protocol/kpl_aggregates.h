// Aggregates as the Kinesis Producer Library makes them, for tests of what takes them apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/endian.h"
#include "protocol/hash_key.h"
#include "protocol/kpl_aggregate.h"

namespace sluice::protocol {

inline void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

/// A field of the Protobuf type "length-delimited".
inline void AppendBytesField(std::string& out, unsigned number, std::string_view bytes) {
  AppendVarint(out, number << 3 | 2);
  AppendVarint(out, bytes.size());
  out += bytes;
}

/// The message between magic and MD5, made an aggregate.
inline std::string WrapKplMessage(std::string_view message) {
  const HashKey md5 = HashPartitionKey(message);
  std::string tail(16, '\0');
  StoreBigEndian(tail.data(), md5.high);
  StoreBigEndian(tail.data() + 8, md5.low);
  return "\xF3\x89\x9A\xC2" + std::string(message) + tail;
}

inline std::string MakeKplAggregate(std::span<const KplRecord> records) {
  std::string keys, hash_keys, bodies;
  std::uint64_t key_count = 0, hash_key_count = 0;
  for (const KplRecord& record : records) {
    AppendBytesField(keys, 1, record.partition_key);
    std::string body = "\x08";
    AppendVarint(body, key_count++);
    if (record.explicit_hash_key) {
      AppendBytesField(hash_keys, 2, *record.explicit_hash_key);
      body += '\x10';
      AppendVarint(body, hash_key_count++);
    }
    AppendBytesField(body, 3, record.data);
    AppendBytesField(bodies, 3, body);
  }
  return WrapKplMessage(keys + hash_keys + bodies);
}

}  // namespace sluice::protocol
