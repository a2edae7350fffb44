// Items of DynamoDB: any JSON as an item, as a table and as conditions of the older form. What is read and not too
// large can be kept, and reads as the same again.
#include <string>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/expression/legacy.h"
#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_key.h"
#include "broker/api/dynamodb/table_info.h"
#include "protocol/check.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::dynamodb {
namespace {

void CheckItem(const Item& item) {
  if (!CheckItemSize(item)) return;
  const std::string text = EncodeItem(item);
  const auto again = DecodeItem(text);
  SLUICE_CHECK(again.has_value() && *again == item);
  SLUICE_CHECK(EncodeItem(*again) == text);
  KeySchema keys;
  keys.hash.name = "k";
  if (const auto key = KeyOfItem(keys, item)) SLUICE_CHECK(*KeyOfKey(keys, KeyAttributes(keys, item)) == *key);
}

void CheckTable(protocol::aws::Value json) {
  const auto table = ReadTable(json);
  if (!table) return;
  const std::string text = EncodeTable(*table);
  const auto again = DecodeTable(text);
  SLUICE_CHECK(again.has_value() && EncodeTable(*again) == text);
}

void Run(std::string_view json) {
  const std::string padded = std::string(json) + std::string(protocol::aws::Document::kPaddingBytes, '\0');
  protocol::aws::Document document;
  if (!document.ReadJson(std::string_view(padded).substr(0, json.size())).ok()) return;
  CheckTable(document.root());
  const auto item = ReadItem(document.root());
  if (item) CheckItem(*item);
  const Item of = item.value_or(Item());
  if (const auto expected = ReadExpected(document.root()); expected && *expected) (void)Holds(**expected, of);
  if (const auto update = ReadAttributeUpdates(document.root()); update && *update) (void)Apply(**update, of);
}

}  // namespace
}  // namespace sluice::broker::dynamodb

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::broker::dynamodb::Run(sluice::fuzz::Input(data, size));
  return 0;
}
