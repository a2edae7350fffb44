// Document::ReadCbor: the part of RFC 8949 that AWS's SDKs send, and whatever else is well-formed.
//
// Section numbers are the RFC's. Recursion is bounded by kDepthMax.
#include <simdjson.h>

#include <bit>
#include <cmath>
#include <optional>

#include "protocol/aws/node_builder.h"

namespace sluice::protocol::aws {
namespace {

// Section 3.1: the first three bits of an item.
enum class Major : std::uint8_t { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

constexpr std::uint8_t kIndefinite = 31;  // section 3.2
constexpr std::uint8_t kBreak = 0xff;
constexpr std::uint64_t kTagEpoch = 1;  // section 3.4.2
constexpr std::uint8_t kFalse = 20;     // section 3.3
constexpr std::uint8_t kTrue = 21;
constexpr std::uint8_t kNull = 22;
constexpr std::uint8_t kUndefined = 23;
constexpr std::uint8_t kHalf = 25;
constexpr std::uint8_t kSingle = 26;
constexpr std::uint8_t kDouble = 27;

/// Appendix D of the RFC.
double DecodeHalf(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1f;
  const int mantissa = half & 0x3ff;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? HUGE_VAL : NAN;
  }
  return (half & 0x8000) != 0 ? -value : value;
}

class CborReader {
 public:
  CborReader(std::string_view cbor, NodeBuilder& nodes) : rest_(cbor), nodes_(nodes) {}

  /// nullptr, or what is wrong.
  const char* ReadDocument() {
    if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) >> 5 != static_cast<int>(Major::kMap)) {
      return "expected a map";
    }
    if (!Read(0)) return wrong_;
    return rest_.empty() ? nullptr : "more bytes behind it";
  }

 private:
  struct Head {
    Major major = Major::kSimple;
    std::uint8_t info = 0;       // the low five bits
    std::uint64_t argument = 0;  // section 3
    bool indefinite() const { return info == kIndefinite; }
  };

  bool Fail(const char* wrong) {
    wrong_ = wrong;
    return false;
  }
  bool Enough(bool added) { return added || Fail("more values than a request may have"); }

  bool ReadHead(Head& head) {
    if (rest_.empty()) return Fail("it ends in the middle");
    const auto first = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    head = {static_cast<Major>(first >> 5), static_cast<std::uint8_t>(first & 0x1f), 0};
    if (head.info < 24) {
      head.argument = head.info;
      return true;
    }
    if (head.info >= 28) return head.indefinite() || Fail("an item of a reserved kind");
    const std::size_t bytes = std::size_t{1} << (head.info - 24);
    if (rest_.size() < bytes) return Fail("it ends in the middle");
    for (const char byte : rest_.substr(0, bytes)) head.argument = head.argument << 8 | static_cast<std::uint8_t>(byte);
    rest_.remove_prefix(bytes);
    return true;
  }

  bool Read(std::size_t depth) {
    Head head;
    return ReadHead(head) && ReadItem(head, depth);
  }

  bool ReadItem(const Head& head, std::size_t depth) {
    switch (head.major) {
      case Major::kUnsigned:
      case Major::kNegative:
        return ReadInteger(head);
      case Major::kBytes:
      case Major::kText:
        return ReadString(head);
      case Major::kArray:
      case Major::kMap:
        return depth == Document::kDepthMax ? Fail("nested too deep") : ReadChildren(head, depth);
      case Major::kTag:
        return ReadTagged(head, depth);
      case Major::kSimple:
        return ReadSimple(head);
    }
    return false;
  }

  bool ReadInteger(const Head& head) {
    if (head.indefinite()) return Fail("an integer of indefinite length");
    const bool negative = head.major == Major::kNegative;  // -1 - argument
    if (head.argument > static_cast<std::uint64_t>(INT64_MAX)) {
      const double real = static_cast<double>(head.argument);
      return Enough(nodes_.AddReal(negative ? -1 - real : real));
    }
    const auto value = static_cast<std::int64_t>(head.argument);
    return Enough(nodes_.AddInteger(Kind::kInteger, negative ? -1 - value : value));
  }

  bool TakeBytes(std::uint64_t size, std::string_view& bytes) {
    if (size > rest_.size()) return Fail("it ends in the middle");
    bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool ReadString(const Head& head) {
    std::string_view bytes;
    if (!head.indefinite()) {
      if (!TakeBytes(head.argument, bytes)) return false;
    } else if (!JoinPieces(head.major, bytes)) {
      return false;
    }
    if (head.major == Major::kBytes) return Enough(nodes_.AddText(Kind::kBytes, bytes));
    if (!simdjson::validate_utf8(bytes.data(), bytes.size())) return Fail("a text is not UTF-8");
    return Enough(nodes_.AddText(Kind::kText, bytes));
  }

  /// Section 3.2.3: definite strings of the same kind up to the break.
  bool JoinPieces(Major major, std::string_view& joined) {
    std::string& text = nodes_.NewText();
    while (!TakeBreak()) {
      Head head;
      if (!ReadHead(head)) return false;
      if (head.major != major || head.indefinite()) return Fail("a piece of a string is no string");
      std::string_view piece;
      if (!TakeBytes(head.argument, piece)) return false;
      text += piece;
    }
    joined = text;
    return true;
  }

  bool TakeBreak() {
    if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) != kBreak) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool ReadChildren(const Head& head, std::size_t depth) {
    const bool map = head.major == Major::kMap;
    std::uint32_t index = 0;
    if (!Enough(nodes_.Open(map ? Kind::kMap : Kind::kList, index))) return false;
    std::uint32_t children = 0;
    while (head.indefinite() ? !TakeBreak() : children < head.argument) {
      if (map && !ReadName()) return false;
      if (!Read(depth + 1)) return false;
      ++children;
    }
    nodes_.Close(index, children);
    return true;
  }

  bool ReadName() {
    Head head;
    if (!ReadHead(head)) return false;
    return head.major == Major::kText ? ReadString(head) : Fail("the name of a member is no text");
  }

  bool ReadTagged(const Head& tag, std::size_t depth) {
    Head head;
    if (tag.indefinite()) return Fail("a tag of indefinite length");
    if (!ReadHead(head)) return false;
    if (tag.argument != kTagEpoch) {
      // Others add a meaning that no API asks for. Tags may be stacked, so they count as depth.
      return depth == Document::kDepthMax ? Fail("nested too deep") : ReadItem(head, depth + 1);
    }
    if (head.major == Major::kUnsigned || head.major == Major::kNegative) {
      if (head.indefinite() || head.argument > static_cast<std::uint64_t>(INT64_MAX))
        return Fail("a time out of range");
      const auto value = static_cast<std::int64_t>(head.argument);
      return Enough(nodes_.AddInteger(Kind::kTimestamp, head.major == Major::kNegative ? -1 - value : value));
    }
    const std::optional<double> ms = head.major == Major::kSimple ? Real(head) : std::nullopt;
    if (!ms || !(std::abs(*ms) < 0x1p63)) return Fail("a time is no number");
    return Enough(nodes_.AddInteger(Kind::kTimestamp, static_cast<std::int64_t>(*ms)));
  }

  bool ReadSimple(const Head& head) {
    if (head.indefinite()) return Fail("a break outside of anything");
    if (head.info == kFalse || head.info == kTrue) return Enough(nodes_.AddBoolean(head.info == kTrue));
    if (head.info == kNull || head.info == kUndefined) return Enough(nodes_.AddNull());
    const std::optional<double> real = Real(head);
    return real ? Enough(nodes_.AddReal(*real)) : Fail("a simple value that nobody knows");
  }

  static std::optional<double> Real(const Head& head) {
    if (head.info == kHalf) return DecodeHalf(static_cast<std::uint16_t>(head.argument));
    if (head.info == kSingle) return std::bit_cast<float>(static_cast<std::uint32_t>(head.argument));
    if (head.info == kDouble) return std::bit_cast<double>(head.argument);
    return std::nullopt;
  }

  std::string_view rest_;
  NodeBuilder& nodes_;
  const char* wrong_ = nullptr;
};

}  // namespace

Status Document::ReadCbor(std::string_view cbor) {
  NodeBuilder nodes(*this);
  const char* wrong = CborReader(cbor, nodes).ReadDocument();
  if (wrong == nullptr) return {};
  nodes_.clear();
  return Status(Code::kInvalidArgument, std::string("not a CBOR document: ") + wrong);
}

}  // namespace sluice::protocol::aws
