// One JSON value, found and checked character by character.
#include "broker/delivery/json_scan.h"

#include <cstdint>
#include <cstring>

#include "protocol/ascii.h"
#include "protocol/check.h"

namespace sluice::delivery {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
using protocol::IsDigit;

bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Walks over the text; every Skip* leaves place_ behind what it took, or returns false.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::size_t place() const { return place_; }

  // The open containers are one bit each, in `objects_` (1: object, 0: array), the innermost lowest.
  bool SkipValue(std::size_t depth_max) {
    while (true) {
      if (!SkipSpace()) return false;
      char c = text_[place_];
      if (c == '{' || c == '[') {
        if (depth_ == depth_max) return false;
        ++depth_;
        objects_ = objects_ << 1 | (c == '{' ? 1u : 0u);
        ++place_;
        if (!SkipSpace()) return false;
        if (text_[place_] != (c == '{' ? '}' : ']')) {
          if (c == '{' && !SkipKey()) return false;
          continue;
        }
      } else if (!SkipScalar(c)) {
        return false;
      }
      // A value has ended (or the container at place_ is empty): close what closes here.
      bool more = false;
      while (depth_ > 0 && !more) {
        if (!SkipSpace()) return false;
        bool object = (objects_ & 1) != 0;
        if (text_[place_] == ',') {
          ++place_;
          if (object && (!SkipSpace() || !SkipKey())) return false;
          more = true;
        } else if (text_[place_] == (object ? '}' : ']')) {
          ++place_;
          --depth_;
          objects_ >>= 1;
        } else {
          return false;
        }
      }
      if (!more) return true;
    }
  }

  bool SkipNumber() {
    Take('-');
    if (!Take('0') && !SkipDigits()) return false;
    if (Take('.') && !SkipDigits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return SkipDigits();
    }
    return true;
  }

 private:
  // False at the end of the text.
  bool SkipSpace() {
    while (place_ < text_.size() && IsSpace(text_[place_])) ++place_;
    return place_ < text_.size();
  }
  bool Take(char c) {
    if (place_ == text_.size() || text_[place_] != c) return false;
    ++place_;
    return true;
  }
  bool SkipDigits() {
    std::size_t start = place_;
    while (place_ < text_.size() && IsDigit(text_[place_])) ++place_;
    return place_ > start;
  }
  bool SkipKey() { return SkipString() && SkipSpace() && Take(':'); }
  bool SkipScalar(char c) {
    if (c == '"') return SkipString();
    if (c == 't') return SkipWord("true");
    if (c == 'f') return SkipWord("false");
    if (c == 'n') return SkipWord("null");
    return SkipNumber();
  }
  bool SkipWord(std::string_view word) {
    if (!text_.substr(place_).starts_with(word)) return false;
    place_ += word.size();
    return true;
  }
  bool SkipString() {
    if (!Take('"')) return false;
    while (place_ < text_.size()) {
      char c = text_[place_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !SkipEscape()) return false;
    }
    return false;
  }
  bool SkipEscape() {
    if (place_ == text_.size()) return false;
    char c = text_[place_++];
    if (c != 'u') return std::strchr("\"\\/bfnrt", c) != nullptr && c != '\0';
    for (int i = 0; i < 4; ++i, ++place_) {
      if (place_ == text_.size() || !IsHex(text_[place_])) return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::size_t depth_ = 0;
  std::uint64_t objects_ = 0;
};

}  // namespace

std::string_view SkipJsonValue(std::string_view text, std::size_t depth_max) {
  SLUICE_CHECK(depth_max <= 64);
  Scanner scanner(text);
  return scanner.SkipValue(depth_max) ? text.substr(0, scanner.place()) : std::string_view();
}

bool NestsDeeper(std::string_view text, std::size_t depth_max) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) {
      if (c == '\\') ++i;
    } else if ((c == '{' || c == '[') && ++depth > depth_max) {
      return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

std::string_view TrimJson(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

bool IsJsonNumber(std::string_view token) {
  Scanner scanner(token);
  return scanner.SkipNumber() && scanner.place() == token.size();
}

}  // namespace sluice::delivery
