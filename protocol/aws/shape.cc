// Making shapes, and the type check.
#include "protocol/aws/shape.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "protocol/ascii.h"
#include "protocol/base64.h"
#include "protocol/check.h"

namespace sluice::protocol::aws {

Shape Shape::Length(std::int64_t least, std::int64_t most) && {
  least_ = least;
  most_ = most;
  return std::move(*this);
}

Shape Shape::Pattern(std::string_view pattern) && {
  pattern_text_ = pattern;
  pattern_ = std::make_shared<const re2::RE2>(pattern_text_, re2::RE2::Quiet);
  SLUICE_CHECK(pattern_->ok());
  return std::move(*this);
}

Shape Shape::Pattern(std::string_view printed, std::string_view pattern, std::string_view never) && {
  Shape shape = std::move(*this).Pattern(pattern);
  shape.pattern_text_ = printed;
  shape.never_ = std::make_shared<const re2::RE2>(re2::StringPiece(never.data(), never.size()), re2::RE2::Quiet);
  SLUICE_CHECK(shape.never_->ok());
  return shape;
}

Shape Shape::OneOf(std::vector<std::string_view> values) && {
  one_of_ = std::move(values);
  return std::move(*this);
}

Shape Shape::Member(std::string_view name, const Shape& shape, Required required) && {
  SLUICE_CHECK(type_ == Type::kStructure);
  fields_.push_back({std::string(name), &shape, required == Required::kYes});
  return std::move(*this);
}

class TypeCheck {
 public:
  /// Nothing, or the message of the first value of a wrong type.
  static std::optional<std::string> Check(Value value, const Shape& shape) {
    if (value.kind() == Kind::kNull) return std::nullopt;
    switch (shape.type_) {
      case Shape::Type::kAny:
        return std::nullopt;
      case Shape::Type::kStructure:
        return CheckStructure(value, shape);
      case Shape::Type::kMap:
        return CheckChildren(value, shape, Kind::kMap, "Expected map or null");
      case Shape::Type::kList:
        return CheckChildren(value, shape, Kind::kList, "Expected list or null");
      default:
        break;
    }
    if (value.kind() == Kind::kList) return "Start of list found where not expected";
    if (value.kind() == Kind::kMap) return "Start of structure or map found where not expected.";
    if (shape.type_ == Shape::Type::kBlob && value.kind() == Kind::kText) return CheckBase64(value.text());
    if (Fits(value.kind(), shape.type_)) return std::nullopt;
    return fmt::format("class {} can not be converted to {}", ClassOf(value.kind()), Target(shape.type_));
  }

 private:
  static std::optional<std::string> CheckStructure(Value value, const Shape& shape) {
    if (value.kind() != Kind::kMap)
      return value.kind() == Kind::kList ? "Unrecognized collection type class" : "Expected null";
    for (const auto [name, member] : value.children()) {
      const auto field = std::ranges::find(shape.fields_, name, &Shape::Field::name);
      if (field == shape.fields_.end()) {
        member.Forget();  // nobody has looked at its type
        continue;
      }
      if (auto wrong = Check(member, *field->shape)) return wrong;
    }
    return std::nullopt;
  }

  static std::optional<std::string> CheckChildren(Value value, const Shape& shape, Kind kind, const char* expected) {
    if (value.kind() != kind) {
      if (value.kind() == Kind::kList || value.kind() == Kind::kMap) {
        return kind == Kind::kList ? "Start of structure or map found where not expected."
                                   : "Start of list found where not expected";
      }
      return expected;
    }
    for (const auto [name, child] : value.children()) {
      if (auto wrong = Check(child, *shape.element_)) return wrong;
    }
    return std::nullopt;
  }

  static bool Fits(Kind kind, Shape::Type type) {
    const bool number = kind == Kind::kInteger || kind == Kind::kReal;
    switch (type) {
      case Shape::Type::kText:
        return kind == Kind::kText;
      case Shape::Type::kInteger:
      case Shape::Type::kLong:
      case Shape::Type::kDouble:
        return number;
      case Shape::Type::kTimestamp:
        return number || kind == Kind::kTimestamp;
      case Shape::Type::kBoolean:
        return kind == Kind::kBoolean;
      default:
        return kind == Kind::kBytes;
    }
  }

  /// The Java class that AWS names.
  static const char* ClassOf(Kind kind) {
    if (kind == Kind::kBoolean) return "java.lang.Boolean";
    if (kind == Kind::kText) return "java.lang.String";
    if (kind == Kind::kBytes) return "java.nio.HeapByteBuffer";
    if (kind == Kind::kTimestamp) return "java.util.Date";
    return "com.amazon.coral.value.json.numbers.TruncatingBigNumber";
  }

  static const char* Target(Shape::Type type) {
    switch (type) {
      case Shape::Type::kText:
        return "an String";
      case Shape::Type::kInteger:
        return "an Integer";
      case Shape::Type::kLong:
        return "an Long";
      case Shape::Type::kDouble:
        return "an Double";
      case Shape::Type::kBoolean:
        return "an Boolean";
      case Shape::Type::kTimestamp:
        return "milliseconds since epoch";
      default:
        return "a Blob";
    }
  }

  static std::optional<std::string> CheckBase64(std::string_view text) {
    if (IsBase64(text)) return std::nullopt;
    const auto wrong = [&](std::string_view why) {
      return fmt::format("'{}' can not be converted to a Blob: {}", text, why);
    };
    if (text.size() % 4 != 0) {
      return wrong(fmt::format("Base64 encoded length is expected a multiple of 4 bytes but found: {}", text.size()));
    }
    const std::size_t digits = text.ends_with("==")  ? text.size() - 2
                               : text.ends_with('=') ? text.size() - 1
                                                     : text.size();
    const auto is_digit = [](char c) { return IsLetterOrDigit(c) || c == '+' || c == '/'; };
    const std::string_view plain = text.substr(0, digits);
    const auto bad = std::ranges::find_if_not(plain, is_digit);
    if (bad != plain.end()) return wrong(fmt::format("Invalid Base64 character: '{}'", *bad));
    return wrong("Invalid last non-pad Base64 character dectected");  // AWS's spelling
  }
};

std::optional<ApiError> CheckTypes(Value input, const Shape& shape) {
  std::optional<std::string> wrong = TypeCheck::Check(input, shape);
  if (!wrong) return std::nullopt;
  return ApiError("SerializationException", std::move(*wrong));
}

double ToDouble(Value number) {
  return number.kind() == Kind::kInteger ? static_cast<double>(number.integer()) : number.real();
}

std::int64_t ToInteger(Value number, std::int64_t most) {
  if (number.kind() == Kind::kInteger) return std::clamp(number.integer(), -most - 1, most);
  const double real = std::trunc(number.real());
  if (std::isnan(real)) return 0;
  if (real >= static_cast<double>(most)) return most;
  return real <= -static_cast<double>(most) ? -most - 1 : static_cast<std::int64_t>(real);
}

std::int64_t ToTimestampMs(Value time) {
  constexpr std::int64_t kSecondsMax = INT64_MAX / 1000;
  if (time.kind() == Kind::kTimestamp) return time.integer();
  if (time.kind() == Kind::kInteger) return std::clamp(time.integer(), -kSecondsMax, kSecondsMax) * 1000;
  const double seconds = time.real();
  if (std::isnan(seconds)) return 0;
  return std::llround(std::clamp(seconds, -static_cast<double>(kSecondsMax), static_cast<double>(kSecondsMax)) * 1000);
}

std::size_t BlobBytes(Value blob) {
  return blob.kind() == Kind::kBytes ? blob.text().size() : Base64DecodedBytes(blob.text());
}

void CopyBytes(Value blob, char* to) {
  if (blob.kind() != Kind::kBytes) return DecodeBase64To(blob.text(), to);
  std::ranges::copy(blob.text(), to);
}

}  // namespace sluice::protocol::aws
