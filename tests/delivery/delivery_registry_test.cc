// Delivery streams as values: made, edited, tagged and discarded by doors.
#include "broker/delivery_registry.h"

#include "tests/delivery/managed.h"

namespace sluice::delivery {

TEST_CASE("DeliveryManager Make, Edit: what a door gives is kept until somebody else changes the delivery stream",
          "[delivery]") {
  Managed managed;
  managed.Start();
  const auto made = managed.manager->Make({.document = Document("d", "orders"), .given = "{\"a\":1}"});
  REQUIRE(made.has_value());
  CHECK((*made)->given == "{\"a\":1}");
  CHECK((*made)->source_name == "orders");
  CHECK_FALSE((*made)->direct_put);
  CHECK(managed.manager->Make({.document = Document("d", "orders"), .given = ""}).error().code() ==
        Code::kAlreadyExists);
  const auto edit = [&](std::string given) {
    return managed.manager->Edit("d", [&](const broker::DeliveryInfo& now) {
      CHECK(now.name == "d");
      return std::optional<broker::DeliveryDraft>({.document = Document("d", "orders"), .given = std::move(given)});
    });
  };
  CHECK((*edit("{\"a\":1}"))->version == 1);
  CHECK((*edit("{\"a\":2}"))->version == 2);  // alone it is a change too
  managed.Start();
  const broker::DeliveryInfoPtr loaded = managed.manager->Find("d");
  CHECK(loaded->given == "{\"a\":2}");
  CHECK(loaded->changed_ms >= loaded->created_ms);
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));  // a file that says the same
  CHECK(managed.manager->Find("d")->given == "{\"a\":2}");
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders", R"(, "Delimiter": "")"));
  CHECK(managed.manager->Find("d")->given.empty());
  CHECK(managed.manager->Find("d")->version == 3);
}

TEST_CASE("DeliveryManager Edit: an error of the editor and nothing to change", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  const auto refused = managed.manager->Edit(
      "d", [](const auto&) -> Result<std::optional<broker::DeliveryDraft>> { return Error(Code::kFenced, "no"); });
  CHECK(refused.error() == Status(Code::kFenced, "no"));
  const auto same = managed.manager->Edit("d", [](const auto&) { return std::optional<broker::DeliveryDraft>(); });
  CHECK((*same)->version == 1);
  const auto none = managed.manager->Edit("e", [](const auto&) { return std::optional<broker::DeliveryDraft>(); });
  CHECK(none.error().code() == Code::kNotFound);
}

TEST_CASE("DeliveryManager EditTags: kept without another version, and a failed write changes nothing", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("d", "orders"));
  managed.Append("orders", 0, 10);
  const auto tag = [](broker::DeliveryTags& tags) {
    tags["team"] = "ingest";
    return Status();
  };
  REQUIRE(managed.manager->EditTags("d", tag).ok());
  CHECK(managed.manager->EditTags("d", [](auto&) { return Status(Code::kOutOfRange, "no"); }).code() ==
        Code::kOutOfRange);
  managed.Start();
  const broker::DeliveryInfoPtr info = managed.manager->Find("d");
  CHECK(info->tags == broker::DeliveryTags{{"team", "ingest"}});
  CHECK(info->version == 1);
  CHECK(info->changed_ms == 0);
  CHECK(Contains(managed.Answer(DeliveryAction::kFlush, "d"), "\"records\":10"));
}

TEST_CASE("DeliveryManager Discard: also with records that are not delivered", "[delivery]") {
  Managed managed;
  managed.Start();
  managed.Answer(DeliveryAction::kCreate, "", Document("d", ""));
  managed.Append("delivery:d", 0, 10);
  CHECK(managed.Do(DeliveryAction::kDelete, "d").error().code() == Code::kFailedPrecondition);
  REQUIRE(managed.manager->Discard("d").ok());
  CHECK(managed.manager->All().empty());
  CHECK(managed.forgotten == std::vector<std::string>{"delivery:d"});
  CHECK(managed.manager->Discard("d").code() == Code::kNotFound);
}

}  // namespace sluice::delivery
