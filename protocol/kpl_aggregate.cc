// The few fields of the message are read here: a message of the Protobuf library would copy all data.
#include "protocol/kpl_aggregate.h"

#include <cstdint>

#include "protocol/endian.h"
#include "protocol/hash_key.h"
#include "protocol/varint.h"

namespace sluice::protocol {
namespace {

constexpr std::string_view kMagic = "\xF3\x89\x9A\xC2";
constexpr std::size_t kMd5Bytes = 16;

/// How Protobuf writes a field's value.
enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  std::uint64_t number = 0;
  WireType type = WireType::kVarint;
  std::uint64_t value = 0;  // kVarint
  std::string_view bytes;   // kBytes
};

bool Skip(std::string_view& in, std::uint64_t bytes) {
  if (in.size() < bytes) return false;
  in.remove_prefix(bytes);
  return true;
}

/// Takes one field off the front; false where it is broken.
bool TakeField(std::string_view& in, WireField& field) {
  std::uint64_t tag = 0;
  if (!ReadUnsignedVarint(in, 32, tag)) return false;
  field.number = tag >> 3;
  field.type = static_cast<WireType>(tag & 7);
  if (field.number == 0) return false;
  switch (field.type) {
    case WireType::kVarint:
      return ReadUnsignedVarint(in, 64, field.value);
    case WireType::kFixed64:
      return Skip(in, 8);
    case WireType::kFixed32:
      return Skip(in, 4);
    case WireType::kBytes: {
      std::uint64_t size = 0;
      if (!ReadUnsignedVarint(in, 64, size) || in.size() < size) return false;
      field.bytes = in.substr(0, size);
      in.remove_prefix(size);
      return true;
    }
  }
  return false;  // groups, which the library has given up
}

/// What the message holds before the tables' entries stand in the place of their numbers.
struct Message {
  std::vector<std::string_view> partition_keys;
  std::vector<std::string_view> hash_keys;
  std::vector<std::string_view> records;
};

std::optional<Message> ReadMessage(std::string_view bytes) {
  Message message;
  WireField field;
  while (!bytes.empty()) {
    if (!TakeField(bytes, field)) return std::nullopt;
    if (field.number > 3) continue;
    if (field.type != WireType::kBytes) return std::nullopt;
    auto& table = field.number == 1 ? message.partition_keys : field.number == 2 ? message.hash_keys : message.records;
    table.push_back(field.bytes);
  }
  return message;
}

std::optional<KplRecord> ReadRecord(const Message& message, std::string_view bytes) {
  std::optional<std::uint64_t> key;
  std::optional<std::uint64_t> hash_key;
  std::optional<std::string_view> data;
  WireField field;
  while (!bytes.empty()) {
    if (!TakeField(bytes, field)) return std::nullopt;
    if (field.number > 3) continue;  // tags, which nobody is given
    if ((field.number == 3) != (field.type == WireType::kBytes)) return std::nullopt;
    if (field.number != 3 && field.type != WireType::kVarint) return std::nullopt;
    if (field.number == 1) key = field.value;
    if (field.number == 2) hash_key = field.value;
    if (field.number == 3) data = field.bytes;
  }
  if (!key || *key >= message.partition_keys.size() || !data) return std::nullopt;
  if (hash_key && *hash_key >= message.hash_keys.size()) return std::nullopt;
  KplRecord record{.partition_key = message.partition_keys[*key], .explicit_hash_key = {}, .data = *data};
  if (hash_key) record.explicit_hash_key = message.hash_keys[*hash_key];
  return record;
}

}  // namespace

bool MayBeKplAggregate(std::string_view data) {
  return data.size() >= kMagic.size() + kMd5Bytes && data.starts_with(kMagic);
}

std::optional<std::vector<KplRecord>> OpenKplAggregate(std::string_view data) {
  if (!MayBeKplAggregate(data)) return std::nullopt;
  const std::string_view bytes = data.substr(kMagic.size(), data.size() - kMagic.size() - kMd5Bytes);
  const HashKey md5 = HashPartitionKey(bytes);  // a partition key's hash is its MD5
  const char* const tail = data.data() + data.size() - kMd5Bytes;
  if (md5.high != LoadBigEndian<std::uint64_t>(tail) || md5.low != LoadBigEndian<std::uint64_t>(tail + 8)) {
    return std::nullopt;
  }
  const std::optional<Message> message = ReadMessage(bytes);
  if (!message) return std::nullopt;
  std::vector<KplRecord> records;
  records.reserve(message->records.size());
  for (const std::string_view one : message->records) {
    const auto record = ReadRecord(*message, one);
    if (!record) return std::nullopt;
    records.push_back(*record);
  }
  return records;
}

}  // namespace sluice::protocol
