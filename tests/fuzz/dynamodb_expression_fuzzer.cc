// Expressions of DynamoDB: any text as a condition, as an update and as a projection, over one item. What is parsed can
// be run, and what an update gives can be kept where it is not too large.
#include <string>

#include "broker/api/dynamodb/expression/evaluate.h"
#include "broker/api/dynamodb/expression/parser.h"
#include "broker/api/dynamodb/item_json.h"
#include "protocol/check.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker::dynamodb {
namespace {

constexpr std::string_view kItem =
    R"({"k":{"S":"a"},"n":{"N":"5"},"s":{"SS":["x","y"]},"l":{"L":[{"N":"1"},{"S":"b"}]},"m":{"M":{"a":{"N":"2"}}},"b":{"BOOL":true}})";
constexpr std::string_view kHolders =
    R"({"ExpressionAttributeNames":{"#n":"n","#x":"x"},"ExpressionAttributeValues":{":n":{"N":"1"},":s":{"S":"a"},)"
    R"(":l":{"L":[{"N":"1"}]},":ss":{"SS":["x"]},":b":{"BOOL":true}}})";

Placeholders Holders() {
  const std::string padded = std::string(kHolders) + std::string(protocol::aws::Document::kPaddingBytes, '\0');
  protocol::aws::Document document;
  SLUICE_CHECK(document.ReadJson(std::string_view(padded).substr(0, kHolders.size())).ok());
  return *Placeholders::Read(document.root());
}

void Run(std::string_view text) {
  const Item item = *DecodeItem(kItem);
  Placeholders holders = Holders();
  if (const auto condition = ParseCondition({"ConditionExpression", text, holders})) (void)Holds(*condition, item);
  if (const auto paths = ParseProjection({"ProjectionExpression", text, holders})) {
    const Item projected = Project(item, *paths);
    for (const auto& [name, value] : projected) SLUICE_CHECK(item.contains(name));
  }
  const auto update = ParseUpdate({"UpdateExpression", text, holders});
  if (!update) return;
  const auto changed = Apply(*update, item);
  if (changed && CheckItemSize(*changed)) SLUICE_CHECK(*DecodeItem(EncodeItem(*changed)) == *changed);
}

}  // namespace
}  // namespace sluice::broker::dynamodb

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::broker::dynamodb::Run(sluice::fuzz::Input(data, size));
  return 0;
}
