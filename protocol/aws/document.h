// What a client of an AWS API sent or got, whatever the encoding: a tree of values that points into the bytes.
//
// Two encodings fill the same tree: JSON 1.1 (application/x-amz-json-1.1) and CBOR (application/x-amz-cbor-1.1, RFC
// 8949). They differ where the API's types are richer than JSON's: bytes are base64 text in JSON and byte strings in
// CBOR, timestamps are seconds in JSON and tag 1 with integer milliseconds in CBOR (docs/kinesis.md). What a value must
// be is said by the operation's shape, not here.
//
// A document is filled again and again without new memory. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::protocol::aws {

enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kReal, kText, kBytes, kTimestamp, kList, kMap };

class Children;
class Document;

/// One value of a document; valid until the document is filled again, and while the bytes it was filled from live.
class Value {
 public:
  Kind kind() const;
  bool boolean() const;           // kBoolean
  std::int64_t integer() const;   // kInteger; kTimestamp: milliseconds since 1970
  double real() const;            // kReal
  std::string_view text() const;  // kText (UTF-8, escapes resolved), kBytes
  std::size_t size() const;       // kList: elements; kMap: members
  /// Members of a kMap: the last one of this name, as JSON readers do. nullopt where there is none or it is null.
  std::optional<Value> Find(std::string_view name) const;

  /// Elements of a kList, members of a kMap, in the order they were sent:
  ///     for (const auto [name, value] : map.children())
  Children children() const;

  /// Null from now on, for everybody who looks at the document.
  void Forget() const;

 private:
  friend class Document;
  friend class Children;
  Value(const Document* document, std::uint32_t at) : document_(document), at_(at) {}
  const Document* document_;
  std::uint32_t at_;
};

/// What is in a list or map.
class Children {
 public:
  struct Child {
    std::string_view name;  // empty in a list
    Value value;
  };
  class Iterator {
   public:
    Child operator*() const;
    Iterator& operator++();
    bool operator==(const Iterator&) const = default;

   private:
    friend class Children;
    Iterator(const Document* document, std::uint32_t at, bool named) : document_(document), at_(at), named_(named) {}
    const Document* document_;
    std::uint32_t at_;
    bool named_;
  };
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class Value;
  explicit Children(Value parent) : parent_(parent) {}
  Value parent_;
};

class Document {
 public:
  /// The readers look this far behind the end of a JSON text; what stands there does not matter.
  inline static constexpr std::size_t kPaddingBytes = 64;
  inline static constexpr std::size_t kDepthMax = 64;       // of lists and maps
  inline static constexpr std::size_t kValuesMax = 65'536;  // names of members count; PutRecords of 500 has 4,002

  Document();
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// `json` is followed by kPaddingBytes readable bytes. kInvalidArgument for what is not one JSON value, or over a
  /// limit; the document is empty then.
  Status ReadJson(std::string_view json);
  /// Definite and indefinite lengths. kInvalidArgument for what is not one CBOR value, or over a limit.
  Status ReadCbor(std::string_view cbor);
  /// application/x-www-form-urlencoded as the query protocol writes structures: "A.B=1" is a member of a member,
  /// "A.member.2=x" an element of a list. Every value is text. kInvalidArgument for what does not fit together, or over
  /// a limit.
  Status ReadForm(std::string_view form);

  /// After a read that succeeded.
  Value root() const { return {this, 0}; }

 private:
  friend class Value;
  friend class Children;
  friend class NodeBuilder;
  // One value, or the name of a member before its value. Values stand in the order they were sent, so that a list or
  // map is followed by what is in it.
  struct Node {
    Kind kind = Kind::kNull;
    std::uint32_t next = 0;      // the node behind all that is in this one
    std::uint32_t children = 0;  // elements or members
    union {
      std::int64_t integer = 0;
      double real;
      const char* text;
    };
    std::size_t text_bytes = 0;
  };
  struct JsonParser;

  mutable std::vector<Node> nodes_;                   // by Forget only, once they are read
  std::vector<std::unique_ptr<std::string>> joined_;  // CBOR strings that came in pieces
  std::unique_ptr<JsonParser> json_;                  // made at the first JSON text
};

}  // namespace sluice::protocol::aws
