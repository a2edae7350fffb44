// A golden aggregate whose message protoc made, and everything that makes a record a plain one.
#include "protocol/kpl_aggregate.h"

#include <algorithm>
#include <array>
#include <string>

#include "tests/catch.h"
#include "tests/protocol/kpl_aggregates.h"

namespace sluice::protocol {
namespace {

std::string FromHex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// Keys "a" and "bc", one explicit hash key, records of both keys, one with a tag, one without data.
const std::string kMessage = FromHex(
    "0a01610a02626312273137303134313138333436303436393233313733313638373330333731353838343130353732381a0708001a036f6e65"
    "1a10080110001a0200ff22060a01741201761a0408001a00");

TEST_CASE("KplAggregate: the golden one", "[protocol]") {
  const std::string golden = "\xF3\x89\x9A\xC2" + kMessage + FromHex("a5e57033f4afac531724da3f8cc7041d");
  CHECK(golden == WrapKplMessage(kMessage));
  CHECK(MayBeKplAggregate(golden));
  const auto records = OpenKplAggregate(golden);
  REQUIRE(records.has_value());
  CHECK(*records == std::vector<KplRecord>{{.partition_key = "a", .explicit_hash_key = {}, .data = "one"},
                                           {.partition_key = "bc",
                                            .explicit_hash_key = "170141183460469231731687303715884105728",
                                            .data = std::string_view("\0\xFF", 2)},
                                           {.partition_key = "a", .explicit_hash_key = {}, .data = ""}});
}

TEST_CASE("KplAggregate: any changed byte and any cut make it a plain record", "[protocol]") {
  const std::string good = WrapKplMessage(kMessage);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    CAPTURE(i);
    CHECK(!OpenKplAggregate(bad));
    CHECK(!OpenKplAggregate(good.substr(0, i)));
  }
  CHECK(!OpenKplAggregate(good + '\0'));
}

TEST_CASE("KplAggregate: messages under a right MD5 that are none", "[protocol]") {
  const std::array<std::pair<std::string_view, std::string_view>, 12> cases = {{
      {"a record's key is not in the table", "0a01611a0408011a00"},
      {"a record's hash key is not in the table", "0a01611a06080010001a00"},
      {"a record without a key", "0a01611a021a00"},
      {"a record without data", "0a01611a020800"},
      {"a table's entry that is a number", "0801"},
      {"data that is a number", "0a01611a0408001801"},
      {"a key that is a text", "0a01611a050a001a0161"},
      {"a length behind the end", "0a05"},
      {"a record that ends early", "0a01611a0408001a01"},
      {"a field's number 0", "0201"},
      {"a group", "0b0c"},
      {"a length of 64 bits", "0affffffffffffffffff01"},
  }};
  for (const auto& [what, digits] : cases) {
    CAPTURE(what);
    CHECK(!OpenKplAggregate(WrapKplMessage(FromHex(digits))));
  }
}

TEST_CASE("KplAggregate: fields that it does not know, tables behind the records, nothing at all", "[protocol]") {
  const std::string bytes =
      WrapKplMessage(FromHex("1a0408001a00"
                             "2001"
                             "2d00000000"
                             "310000000000000000"
                             "3a0178"
                             "0a0161"));
  const auto late = OpenKplAggregate(bytes);
  REQUIRE(late.has_value());
  CHECK(*late == std::vector<KplRecord>{{.partition_key = "a", .explicit_hash_key = {}, .data = ""}});
  const auto none = OpenKplAggregate(WrapKplMessage(""));
  REQUIRE(none.has_value());
  CHECK(none->empty());
  CHECK(!MayBeKplAggregate("\xF3\x89\x9A\xC2"));
  CHECK(!MayBeKplAggregate(std::string(100, 'x')));
}

}  // namespace
}  // namespace sluice::protocol
