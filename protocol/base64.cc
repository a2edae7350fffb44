// Base64 in blocks of 32 digits where the processor has AVX2, the rest four digits at a time. No library of the systems
// we run on is faster than a digit per nanosecond, and a record that comes as JSON has 1,400 of them for each KiB.
//
// The arithmetic of a block is that of W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2
// Instructions", ACM TWEB 12(3), 2018, sections 3 and 4.
#include "protocol/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "protocol/check.h"

namespace sluice::protocol {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0x80;
constexpr auto kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
  return values;
}();

std::uint32_t ValueOf(char digit) { return kValues[static_cast<unsigned char>(digit)]; }
char DigitOf(std::uint32_t value) { return kDigits[value & 63]; }

std::size_t PaddingOf(std::string_view text) { return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0; }

void Store(std::uint32_t bits, std::size_t bytes, char* to) {
  for (std::size_t i = 0; i < bytes; ++i) to[i] = static_cast<char>(bits >> (16 - 8 * i));
}

#ifdef __x86_64__

constexpr std::size_t kBlockDigits = 32;
constexpr std::size_t kBlockBytes = 24;

/// Both halves of a register are worked on alike.
#define SLUICE_BOTH(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/// Decodes blocks off the front of `text` up to the first that has no digit in it, and only while what is stored, 32
/// bytes for each 24, lies within what the whole text stands for. Gives the digits that it took.
template <bool kStore>
[[gnu::target("avx2")]] std::size_t DecodeBlocks(std::string_view text, char* to) {
  constexpr std::size_t kTextMin = 48;  // 34 bytes at least
  const __m256i low_bits =
      SLUICE_BOTH(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A);
  const __m256i high_bits =
      SLUICE_BOTH(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  const __m256i distance = SLUICE_BOTH(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i order = SLUICE_BOTH(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i slash = _mm256_set1_epi8('/');
  std::size_t taken = 0;
  for (; text.size() - taken >= kTextMin; taken += kBlockDigits) {
    const __m256i digits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + taken));
    const __m256i high =
        _mm256_and_si256(_mm256_srli_epi32(digits, 4), slash);  // '/' is also the mask of a nibble here
    const __m256i low = _mm256_and_si256(digits, slash);
    // A bit that both nibbles have in common says that together they are no digit.
    if (_mm256_testz_si256(_mm256_shuffle_epi8(low_bits, low), _mm256_shuffle_epi8(high_bits, high)) == 0) break;
    if constexpr (kStore) {
      const __m256i range = _mm256_add_epi8(_mm256_cmpeq_epi8(digits, slash), high);
      const __m256i values = _mm256_add_epi8(digits, _mm256_shuffle_epi8(distance, range));
      const __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
      const __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
      const __m256i bytes =
          _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order), _mm256_setr_epi32(0, 1, 2, 4, 5, 6, -1, -1));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + taken / kBlockDigits * kBlockBytes), bytes);
    }
  }
  return taken;
}

/// Encodes blocks off the front of `bytes`, of which 28 are read for each 24. Gives the bytes that it took.
[[gnu::target("avx2")]] std::size_t EncodeBlocks(std::string_view bytes, char* to) {
  constexpr std::size_t kReadBytes = 28;
  const __m256i order = SLUICE_BOTH(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  const __m256i distance = SLUICE_BOTH('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                       '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  std::size_t taken = 0;
  for (; bytes.size() - taken >= kReadBytes; taken += kBlockBytes) {
    const char* const at = bytes.data() + taken;
    const __m256i halves = _mm256_set_m128i(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + 12)),
                                            _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    const __m256i groups = _mm256_shuffle_epi8(halves, order);
    const __m256i first_and_third =
        _mm256_mulhi_epu16(_mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    const __m256i second_and_fourth =
        _mm256_mullo_epi16(_mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    const __m256i values = _mm256_or_si256(first_and_third, second_and_fourth);
    const __m256i is_capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), values);
    const __m256i range = _mm256_or_si256(_mm256_subs_epu8(values, _mm256_set1_epi8(51)),
                                          _mm256_and_si256(is_capital, _mm256_set1_epi8(13)));
    const __m256i digits = _mm256_add_epi8(_mm256_shuffle_epi8(distance, range), values);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + taken / kBlockBytes * kBlockDigits), digits);
  }
  return taken;
}

#undef SLUICE_BOTH

bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

#else

template <bool kStore>
std::size_t DecodeBlocks(std::string_view, char*) {
  return 0;
}
std::size_t EncodeBlocks(std::string_view, char*) { return 0; }
bool HasAvx2() { return false; }

#endif

/// The last group, which may be padded. False where it is no group, or has bits that stand for nothing.
template <bool kStore>
bool DecodeLast(std::string_view group, char* to) {
  const std::size_t padding = PaddingOf(group);
  std::uint32_t bits = 0;
  std::uint32_t wrong = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t value = i < 4 - padding ? ValueOf(group[i]) : 0;
    wrong |= value & kNoDigit;
    bits = bits << 6 | value;
  }
  if (wrong != 0 || (bits & ((1u << (8 * padding)) - 1)) != 0) return false;
  if constexpr (kStore) Store(bits, 3 - padding, to);
  return true;
}

template <bool kStore>
bool Decode(std::string_view text, char* to) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  std::size_t at = HasAvx2() ? DecodeBlocks<kStore>(text, to) : 0;
  if constexpr (kStore) to += at / 4 * 3;
  for (; at + 4 < text.size(); at += 4) {
    const std::uint32_t first = ValueOf(text[at]);
    const std::uint32_t second = ValueOf(text[at + 1]);
    const std::uint32_t third = ValueOf(text[at + 2]);
    const std::uint32_t fourth = ValueOf(text[at + 3]);
    if (((first | second | third | fourth) & kNoDigit) != 0) return false;
    if constexpr (kStore) {
      Store(first << 18 | second << 12 | third << 6 | fourth, 3, to);
      to += 3;
    }
  }
  return DecodeLast<kStore>(text.substr(at), to);
}

/// Writes the digits of `bytes`; gives where they end.
char* Encode(std::string_view bytes, char* to) {
  const std::size_t taken = HasAvx2() ? EncodeBlocks(bytes, to) : 0;
  to += taken / 3 * 4;
  for (bytes.remove_prefix(taken); !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    *to++ = DigitOf(bits >> 18);
    *to++ = DigitOf(bits >> 12);
    *to++ = bytes.size() > 1 ? DigitOf(bits >> 6) : '=';
    *to++ = bytes.size() > 2 ? DigitOf(bits) : '=';
  }
  return to;
}

}  // namespace

void AppendBase64(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  const std::size_t after = before + (bytes.size() + 2) / 3 * 4;
  out.resize_and_overwrite(after, [&](char* data, std::size_t) {
    SLUICE_CHECK(Encode(bytes, data + before) == data + after);
    return after;
  });
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  AppendBase64(text, bytes);
  return text;
}

bool IsBase64(std::string_view text) { return Decode<false>(text, nullptr); }

Result<std::string> DecodeBase64(std::string_view text) {
  bool good = text.size() % 4 == 0;
  std::string bytes;
  if (good) {
    const std::size_t size = Base64DecodedBytes(text);
    bytes.resize_and_overwrite(size, [&](char* data, std::size_t) {
      good = Decode<true>(text, data);
      return size;
    });
  }
  if (good) return bytes;
  return Error(Code::kInvalidArgument, "not base64: want groups of four of A-Z a-z 0-9 + / with = at the end");
}

std::size_t Base64DecodedBytes(std::string_view text) { return text.size() / 4 * 3 - PaddingOf(text); }

void DecodeBase64To(std::string_view text, char* to) {
  const bool good = Decode<true>(text, to);
  SLUICE_CHECK(good);
}

}  // namespace sluice::protocol
