// What the input of an operation must look like, and AWS's words for where it does not.
//
// Two passes, as AWS does them: CheckTypes answers with the first value of a wrong type (SerializationException), then
// CheckConstraints with all values that break a constraint, ten at most (ValidationException). Members that the shape
// does not know are ignored; null is the same as absent. The words follow research on AWS's answers
// (kinesalite's recordings, and newer ones for what has changed since).
//
//     const Shape& StreamName() {
//       static const Shape shape = Shape::Text().Length(1, 128).Pattern("[a-zA-Z0-9_.-]+");
//       return shape;
//     }
//
// Shapes are made once and then only read: thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/aws/document.h"
#include "protocol/aws/error.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace sluice::protocol::aws {

enum class Required : bool { kNo, kYes };

class Shape {
 public:
  static Shape Any() { return Shape(Type::kAny); }  // the operation looks at it itself
  static Shape Text() { return Shape(Type::kText); }
  static Shape Integer() { return Shape(Type::kInteger); }  // 32 bits
  static Shape Long() { return Shape(Type::kLong); }        // 64 bits
  static Shape Double() { return Shape(Type::kDouble); }
  static Shape Boolean() { return Shape(Type::kBoolean); }
  static Shape Blob() { return Shape(Type::kBlob); }
  static Shape Timestamp() { return Shape(Type::kTimestamp); }
  static Shape Structure() { return Shape(Type::kStructure); }
  static Shape List(const Shape& element) { return Shape(Type::kList, nullptr, &element); }  // element outlives it
  static Shape Map(const Shape& key, const Shape& value) { return Shape(Type::kMap, &key, &value); }

  /// Of a text in characters, of a blob in bytes, of a list or map in elements.
  Shape Length(std::int64_t least, std::int64_t most) &&;
  /// Of a number.
  Shape Range(std::int64_t least, std::int64_t most) && { return std::move(*this).Length(least, most); }
  /// The whole text matches this regular expression, which is printed as it is.
  Shape Pattern(std::string_view pattern) &&;
  /// The same of a pattern that RE2 has no words for: a text that matches `pattern` and not `never`.
  Shape Pattern(std::string_view printed, std::string_view pattern, std::string_view never) &&;
  Shape OneOf(std::vector<std::string_view> values) &&;
  /// Of a structure. `shape` outlives it.
  Shape Member(std::string_view name, const Shape& shape, Required required = Required::kNo) &&;

 private:
  friend class TypeCheck;
  friend class ConstraintCheck;
  friend class KnownWriter;
  friend class MemberLister;
  enum class Type : std::uint8_t {
    kAny,
    kText,
    kInteger,
    kLong,
    kDouble,
    kBoolean,
    kBlob,
    kTimestamp,
    kList,
    kMap,
    kStructure
  };
  struct Field {
    std::string name;
    const Shape* shape;
    bool required;
  };
  explicit Shape(Type type, const Shape* key = nullptr, const Shape* element = nullptr)
      : type_(type), key_(key), element_(element) {}

  Type type_;
  const Shape* key_;      // kMap
  const Shape* element_;  // kList; the values of a kMap
  std::optional<std::int64_t> least_;
  std::optional<std::int64_t> most_;
  std::string pattern_text_;
  std::shared_ptr<const re2::RE2> pattern_;
  std::shared_ptr<const re2::RE2> never_;
  std::vector<std::string_view> one_of_;
  std::vector<Field> fields_;  // kStructure
};

/// SerializationException, or nullopt. Members that a structure does not have are passed over, as AWS does: they are
/// null from then on, so that whoever asks for one by its name does not get a value of any type.
std::optional<ApiError> CheckTypes(Value input, const Shape& shape);
/// ValidationException, or nullopt. After CheckTypes.
std::optional<ApiError> CheckConstraints(Value input, const Shape& shape);

/// "2 validation errors detected: ..", of what an operation finds itself.
ApiError ValidationError(std::span<const std::string> problems);

/// What the shape knows of a value, as JSON: its members in the shape's order, nothing for null, whole numbers where
/// the shape has them. After CheckTypes.
std::string KnownJson(Value value, const Shape& shape);

/// The members that hold no others, by their paths ("Tags.Key"), in the shape's order; for the tests of pages that have
/// a line for each.
std::vector<std::string> MemberPaths(const Shape& shape);

/// A number where the shape is Integer or Long: fractions are cut off, what is too large becomes the largest.
std::int64_t ToInteger(Value number, std::int64_t most);
/// A number where the shape is Double.
double ToDouble(Value number);
/// A time where the shape is Timestamp, in milliseconds: JSON has seconds, CBOR milliseconds.
std::int64_t ToTimestampMs(Value time);
/// How many bytes a Blob has, be they base64 text or bytes.
std::size_t BlobBytes(Value blob);
/// Writes them where they will stand.
void CopyBytes(Value blob, char* to);

}  // namespace sluice::protocol::aws
