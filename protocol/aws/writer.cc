// The two writers: JSON by protocol/json_writer.h, CBOR by hand (RFC 8949; maps and lists of indefinite length, as AWS
// writes them, so that nobody has to count first).
#include "protocol/aws/writer.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "protocol/check.h"
#include "protocol/json_writer.h"

namespace sluice::protocol::aws {
namespace {

class AmzJsonWriter final : public Writer {
 public:
  void BeginMap() override { json_.BeginObject(); }
  void BeginList() override { json_.BeginList(); }
  void EndMap() override { json_.EndObject(); }
  void EndList() override { json_.EndList(); }
  Writer& Name(std::string_view name) override {
    json_.Key(name);
    return *this;
  }

  void Text(std::string_view text) override { json_.String(text); }
  void Integer(std::int64_t value) override { json_.Number(value); }
  void Real(double value) override {
    SLUICE_CHECK(std::isfinite(value));
    json_.Raw(fmt::format("{}", value));
  }
  void Boolean(bool value) override { json_.Bool(value); }
  void Bytes(std::string_view bytes) override { json_.Base64(bytes); }
  void Timestamp(std::int64_t ms) override {
    std::array<char, 24> text;  // 2^63 has 19 digits; sign, point and a zero
    const std::int64_t size = std::abs(ms);
    char* to = text.data();
    if (ms < 0) *to++ = '-';
    to = std::to_chars(to, text.data() + text.size(), size / 1000).ptr;
    *to++ = '.';
    for (const std::int64_t unit : {100, 10, 1}) *to++ = static_cast<char>('0' + size / unit % 10);
    json_.Raw({text.data(), to});
  }

  void Reserve(std::size_t bytes) override { json_.Reserve(bytes); }
  std::size_t size() const override { return json_.text().size(); }
  std::string Take() override { return std::exchange(json_, {}).Take(); }

 private:
  JsonWriter json_;
};

class AmzCborWriter final : public Writer {
 public:
  void BeginMap() override { Byte(0xbf); }
  void BeginList() override { Byte(0x9f); }
  void EndMap() override { Byte(0xff); }
  void EndList() override { Byte(0xff); }
  Writer& Name(std::string_view name) override {
    Text(name);
    return *this;
  }

  void Text(std::string_view text) override { String(3, text); }
  void Integer(std::int64_t value) override {
    if (value >= 0) {
      Head(0, static_cast<std::uint64_t>(value));
    } else {
      Head(1, static_cast<std::uint64_t>(-(value + 1)));
    }
  }
  void Real(double value) override {
    SLUICE_CHECK(std::isfinite(value));
    Byte(0xfb);
    BigEndian(std::bit_cast<std::uint64_t>(value), 8);
  }
  void Boolean(bool value) override { Byte(value ? 0xf5 : 0xf4); }
  void Bytes(std::string_view bytes) override { String(2, bytes); }
  void Timestamp(std::int64_t ms) override {
    Byte(0xc1);
    Integer(ms);
  }

  void Reserve(std::size_t bytes) override { out_.reserve(bytes); }
  std::size_t size() const override { return out_.size(); }
  std::string Take() override { return std::exchange(out_, {}); }

 private:
  void Byte(unsigned byte) { out_ += static_cast<char>(byte); }
  void BigEndian(std::uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) Byte((value >> shift) & 0xff);
  }
  /// Section 3: the shortest form of the argument.
  void Head(unsigned major, std::uint64_t argument) {
    const int log_bytes = argument < 24            ? -1
                          : argument <= 0xff       ? 0
                          : argument <= 0xffff     ? 1
                          : argument <= 0xffffffff ? 2
                                                   : 3;
    if (log_bytes < 0) return Byte(major << 5 | static_cast<unsigned>(argument));
    Byte(major << 5 | static_cast<unsigned>(24 + log_bytes));
    BigEndian(argument, 1 << log_bytes);
  }
  void String(unsigned major, std::string_view bytes) {
    Head(major, bytes.size());
    out_ += bytes;
  }

  std::string out_;
};

}  // namespace

std::unique_ptr<Writer> Writer::New(Encoding encoding) {
  if (encoding == Encoding::kCbor) return std::make_unique<AmzCborWriter>();
  return std::make_unique<AmzJsonWriter>();
}

}  // namespace sluice::protocol::aws
