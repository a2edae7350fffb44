// Writes an answer of an AWS API, in the encoding that the client asked in.
//
//     writer.BeginMap();
//     writer.Name("ShardId").Text("shardId-000000000000");
//     writer.EndMap();
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::protocol::aws {

enum class Encoding : std::uint8_t { kJson, kCbor };

class Writer {
 public:
  virtual ~Writer() = default;
  static std::unique_ptr<Writer> New(Encoding encoding);

  virtual void BeginMap() = 0;
  virtual void BeginList() = 0;
  virtual void EndMap() = 0;
  virtual void EndList() = 0;
  /// The name of the member whose value comes next.
  virtual Writer& Name(std::string_view name) = 0;

  virtual void Text(std::string_view text) = 0;  // UTF-8
  virtual void Integer(std::int64_t value) = 0;
  virtual void Real(double value) = 0;  // finite
  virtual void Boolean(bool value) = 0;
  /// Base64 text in JSON, a byte string in CBOR.
  virtual void Bytes(std::string_view bytes) = 0;
  /// Since 1970. Seconds with three digits behind the point in JSON ("1459799926.480"), tag 1 with integer milliseconds
  /// in CBOR.
  virtual void Timestamp(std::int64_t ms) = 0;

  /// Memory for an answer of this size, so that writing it moves nothing.
  virtual void Reserve(std::size_t bytes) = 0;
  virtual std::size_t size() const = 0;  // bytes written so far
  /// What was written; the writer is empty then.
  virtual std::string Take() = 0;
};

}  // namespace sluice::protocol::aws
