// TransactWriteItems: up to a hundred writes and checks, of several tables, all or none; in one synced transaction.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <set>
#include <utility>

#include "broker/api/dynamodb/handlers/operations.h"
#include "broker/api/dynamodb/item_json.h"
#include "broker/api/dynamodb/item_write.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

constexpr std::int64_t kActionsMax = 100;

const api::Shape& Input() {
  static const api::Shape actions = api::Shape::List(MapShape()).Length(1, kActionsMax);
  static const api::Shape shape = api::Shape::Structure()
                                      .Member("TransactItems", actions, api::Required::kYes)
                                      .Member("ClientRequestToken", TextShape());
  return shape;
}

struct Action {
  std::string_view name;
  ApiResult<ItemWrite> (*read)(const TableStore& store, api::Value input);
};
constexpr std::array kActions = {Action{"Put", ReadPut}, Action{"Update", ReadUpdate}, Action{"Delete", ReadDelete},
                                 Action{"ConditionCheck", ReadCheck}};

ApiResult<ItemChange> ReadAction(const TableStore& store, api::Value item) {
  for (const Action& action : kActions) {
    const auto input = item.kind() == api::Kind::kMap ? item.Find(action.name) : std::nullopt;
    if (!input || input->kind() != api::Kind::kMap) continue;
    auto write = action.read(store, *input);
    if (!write) return std::unexpected(std::move(write.error()));
    return std::move(write->change);
  }
  return std::unexpected(Validation("TransactItems can only contain one of Check, Put, Update or Delete"));
}

/// "ConditionalCheckFailed" for ConditionalCheckFailedException's.
std::string ReasonCode(std::string_view type) {
  type.remove_prefix(type.find('#') == type.npos ? 0 : type.find('#') + 1);
  if (type.ends_with("Exception")) type.remove_suffix(std::string_view("Exception").size());
  return std::string(type == "ConditionalCheckFailed" || type == "ItemCollectionSizeLimitExceeded" ? type
                                                                                                   : "ValidationError");
}

ApiError Cancelled(const aws::Call& call, const std::vector<ItemOutcome>& outcomes) {
  std::vector<std::string> codes;
  for (const ItemOutcome& outcome : outcomes) codes.push_back(outcome.error ? ReasonCode(outcome.error->type) : "None");
  ApiError error(ErrorType("TransactionCanceledException"),
                 fmt::format("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                             fmt::join(codes, ", ")));
  const auto writer = call.NewWriter();
  writer->BeginMap();
  writer->Name("__type").Text(error.type);
  writer->Name("Message").Text(error.message);
  writer->Name("CancellationReasons").BeginList();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    writer->BeginMap();
    writer->Name("Code").Text(codes[i]);
    if (outcomes[i].error) writer->Name("Message").Text(outcomes[i].error->message);
    if (outcomes[i].error && !outcomes[i].error->body.empty()) {  // ReturnValuesOnConditionCheckFailure
      writer->Name("Item");
      WriteItem(*writer, outcomes[i].old->item);
    }
    writer->EndMap();
  }
  writer->EndList();
  writer->EndMap();
  error.body = writer->Take();
  return error;
}

ApiResult<std::vector<ItemChange>> ReadActions(const TableStore& store, api::Value input) {
  std::vector<ItemChange> changes;
  std::set<std::pair<const Table*, std::string>> items;
  for (const auto [unnamed, item] : input.Find("TransactItems")->children()) {
    auto change = ReadAction(store, item);
    if (!change) return std::unexpected(std::move(change.error()));
    if (!items.emplace(change->table.get(), change->key).second) {
      return std::unexpected(Validation("Transaction request cannot include multiple operations on one item"));
    }
    changes.push_back(std::move(*change));
  }
  return changes;
}

ApiResult<std::string> Handle(TableStore& store, const aws::Call& call) {
  const auto changes = ReadActions(store, call.input());
  if (!changes) return std::unexpected(changes.error());
  const std::vector<ItemOutcome> outcomes = store.Write(*changes);
  for (const ItemOutcome& outcome : outcomes) {
    if (!outcome.error) continue;
    if (outcome.error->http_status >= 500) return std::unexpected(*outcome.error);
    return std::unexpected(Cancelled(call, outcomes));
  }
  return "{}";
}

}  // namespace

aws::Operation TransactWriteItems(TableStore& store) { return Blocking("TransactWriteItems", Input, store, Handle); }

}  // namespace sluice::broker::dynamodb
