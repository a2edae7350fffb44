// The 32-byte header: its bytes, and each way in which it can be wrong.
#include "protocol/native/wire.h"

#include <string>

#include "tests/catch.h"

namespace sluice::protocol::wire {
namespace {

std::string BytesOf(const HeaderBytes& bytes) { return {bytes.data(), bytes.size()}; }

MessageHeader SomeHeader() {
  MessageHeader header;
  header.kind = MessageKind::kResponse;
  header.operation = Operation::kRead;
  header.correlation_id = 0x0102030405060708;
  header.status = Code::kOutOfRange;
  header.body_bytes = 77;
  return header;
}

TEST_CASE("EncodeHeader: writes the example of PROTOCOL.md", "[protocol]") {
  MessageHeader header;
  header.operation = Operation::kListStreams;
  header.correlation_id = 7;
  const std::string expected(
      "SLN1\x01\x01\x06\x00\x07\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x14\x67\x81\x12",
      32);
  CHECK(BytesOf(EncodeHeader(header, "")) == expected);
}

TEST_CASE("DecodeHeader: gives back what EncodeHeader wrote", "[protocol]") {
  const std::string control = "control";
  const HeaderBytes bytes = EncodeHeader(SomeHeader(), control);
  const auto decoded = DecodeHeader(BytesOf(bytes));
  REQUIRE(decoded.has_value());
  MessageHeader expected = SomeHeader();
  expected.control_bytes = static_cast<std::uint32_t>(control.size());
  expected.crc32c = decoded->crc32c;
  CHECK(*decoded == expected);
  CHECK(decoded->total_size() == 32 + 7 + 77);
  CHECK(VerifyControl(*decoded, BytesOf(bytes), control).ok());
}

TEST_CASE("DecodeHeader: keeps a number of an operation that it does not know", "[protocol]") {
  MessageHeader header;
  header.operation = static_cast<Operation>(999);
  const auto decoded = DecodeHeader(BytesOf(EncodeHeader(header, "")));
  REQUIRE(decoded.has_value());
  CHECK(static_cast<int>(decoded->operation) == 999);
  CHECK(OperationName(decoded->operation) == "unknown");
}

TEST_CASE("DecodeHeader: refuses each wrong field by name", "[protocol]") {
  struct Wrong {
    std::size_t at;
    std::string bytes;
    std::string named;
  };
  const auto wrong = GENERATE(values<Wrong>({
      {0, "HTTP", "magic"},
      {4, std::string(1, '\0'), "version 0"},
      {4, "\x02", "version 2"},
      {5, std::string(1, '\0'), "kind 0"},
      {5, "\x03", "kind 3"},
      {16, "\x0f", "status 15"},
      {17, "\x01", "status 260"},
      {18, "\x01", "flags 1"},
      {20, std::string("\x01\x00\x10\x00", 4), "control_bytes 1048577"},
      {20, "\xff\xff\xff\xff", "control_bytes 4294967295"},
      {24, std::string("\x01\x00\x01\x01", 4), "body_bytes 16842753"},
  }));
  std::string bytes = BytesOf(EncodeHeader(SomeHeader(), ""));
  bytes.replace(wrong.at, wrong.bytes.size(), wrong.bytes);
  const auto decoded = DecodeHeader(bytes);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error().code() == Code::kCorruption);
  CHECK(decoded.error().message().find(wrong.named) != std::string::npos);
}

TEST_CASE("DecodeHeader: refuses a request with a status", "[protocol]") {
  MessageHeader header = SomeHeader();
  header.kind = MessageKind::kRequest;
  CHECK_FALSE(DecodeHeader(BytesOf(EncodeHeader(header, ""))).has_value());
}

TEST_CASE("VerifyControl: sees every changed bit of header and control", "[protocol]") {
  const std::string control = "some control bytes";
  const std::string good = BytesOf(EncodeHeader(SomeHeader(), control));
  const auto header = DecodeHeader(good);
  REQUIRE(header.has_value());
  for (std::size_t bit = 0; bit < 28 * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(VerifyControl(*header, bytes, control).ok());
  }
  for (std::size_t bit = 0; bit < control.size() * 8; ++bit) {
    std::string changed = control;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(VerifyControl(*header, good, changed).ok());
  }
}

TEST_CASE("AppendMessage: fills in both lengths", "[protocol]") {
  std::string out = "before";
  AppendMessage(SomeHeader(), "abc", "defgh", out);
  const auto header = DecodeHeader(std::string_view(out).substr(6));
  REQUIRE(header.has_value());
  CHECK(header->control_bytes == 3);
  CHECK(header->body_bytes == 5);
  CHECK(out.size() == 6 + header->total_size());
  CHECK(out.ends_with("abcdefgh"));
}

TEST_CASE("NegotiateVersion: takes the highest common version", "[protocol]") {
  CHECK(NegotiateVersion(1, 1).value() == 1);
  CHECK(NegotiateVersion(0, 900).value() == kVersionMax);
}

TEST_CASE("NegotiateVersion: names both ranges where there is no common one", "[protocol]") {
  const auto result = NegotiateVersion(2, 9);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == Code::kFailedPrecondition);
  CHECK(result.error().message().find("1 to 1") != std::string::npos);
  CHECK(result.error().message().find("2 to 9") != std::string::npos);
  CHECK_FALSE(NegotiateVersion(0, 0).has_value());
  CHECK_FALSE(NegotiateVersion(3, 1).has_value());
}

}  // namespace
}  // namespace sluice::protocol::wire
