// CREATING and DELETING, for as long as the settings say.
#include "broker/api/firehose/delivery_lifecycle.h"

#include "storage/env/memory_env.h"
#include "tests/broker/firehose/firehose_fixture.h"

namespace sluice::broker::firehose {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::string_view kOrders = R"({"DeliveryStreamName":"orders"})";

DeliveryInfoPtr Info(std::int64_t created_ms) {
  DeliveryInfo info;
  info.name = "orders";
  info.created_ms = created_ms;
  return std::make_shared<const DeliveryInfo>(info);
}

TEST_CASE("DeliveryLifecycle StateOf: CREATING for its time", "[firehose]") {
  storage::MemoryEnv env;
  storage::ManualClock& clock = env.manual_clock();
  const DeliveryLifecycle lifecycle({.create_delay_ms = 100}, clock);
  const DeliveryInfoPtr info = Info(clock.WallMs());
  CHECK(NameOf(lifecycle.StateOf(*info)) == "CREATING");
  clock.AdvanceMs(99);
  CHECK(lifecycle.StateOf(*info) == DeliveryState::kCreating);
  clock.AdvanceMs(1);
  CHECK(NameOf(lifecycle.StateOf(*info)) == "ACTIVE");
}

TEST_CASE("DeliveryLifecycle: CREATING while it is being made, whoever else tries to", "[firehose]") {
  storage::MemoryEnv env;
  DeliveryLifecycle lifecycle({}, env.clock());
  lifecycle.BeginCreate("orders");
  lifecycle.BeginCreate("orders");
  lifecycle.EndCreate("orders");
  CHECK(lifecycle.StateOf(*Info(1)) == DeliveryState::kCreating);
  lifecycle.EndCreate("orders");
  CHECK(lifecycle.StateOf(*Info(1)) == DeliveryState::kActive);
}

TEST_CASE("DeliveryLifecycle: DELETING while it is deleted, and for its time", "[firehose]") {
  storage::MemoryEnv env;
  storage::ManualClock& clock = env.manual_clock();
  DeliveryLifecycle lifecycle({.delete_delay_ms = 100}, clock);
  const DeliveryInfoPtr info = Info(clock.WallMs());
  lifecycle.BeginDelete(info);
  CHECK(NameOf(lifecycle.StateOf(*info)) == "DELETING");
  lifecycle.NotDeleted("orders");
  CHECK(lifecycle.StateOf(*info) == DeliveryState::kActive);
  lifecycle.BeginDelete(info);
  clock.AdvanceMs(1'000);  // it takes its time
  CHECK(lifecycle.FindDeleting("orders") == info);
  lifecycle.Deleted("orders");
  clock.AdvanceMs(99);
  CHECK(lifecycle.Deleting().size() == 1);
  CHECK(lifecycle.StateOf(*Info(clock.WallMs())) == DeliveryState::kActive);  // another one of this name
  clock.AdvanceMs(1);
  CHECK(lifecycle.Deleting().empty());
  CHECK(lifecycle.FindDeleting("orders") == nullptr);
}

TEST_CASE("DeliveryLifecycle: without a delay a deleted one is gone", "[firehose]") {
  storage::MemoryEnv env;
  DeliveryLifecycle lifecycle({}, env.clock());
  lifecycle.BeginDelete(Info(1));
  lifecycle.Deleted("orders");
  CHECK(lifecycle.Deleting().empty());
}

TEST_CASE("CREATING: no puts and no changes, but tags", "[firehose]") {
  FirehoseCore core({.create_delay_ms = kHourMs});
  core.Create("orders");
  CHECK(core.DescribedAt("orders", "DeliveryStreamStatus") == "CREATING");
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":""}})").error ==
        ApiError("ResourceNotFoundException", "Firehose orders under account 123456789012 not found."));
  CHECK(core.Update("orders", "1", "").error ==
        ApiError("ResourceInUseException",
                 "Firehose orders under account 123456789012 is not ACTIVE, but in state CREATING"));
  CHECK(core.Run("DeleteDeliveryStream", std::string(kOrders)).type() == "ResourceInUseException");
  CHECK(core.Run("StopDeliveryStreamEncryption", std::string(kOrders)).type() == "ResourceInUseException");
  core.MustRun("TagDeliveryStream", R"({"DeliveryStreamName":"orders","Tags":[{"Key":"a"}]})");
}

TEST_CASE("DELETING: told and listed, and the name is not free", "[firehose]") {
  FirehoseCore core({.delete_delay_ms = kHourMs});
  core.Create("orders");
  core.Create("pears");
  core.MustRun("DeleteDeliveryStream", std::string(kOrders));
  CHECK(core.DescribedAt("orders", "DeliveryStreamStatus") == "DELETING");
  CHECK(core.MustRun("ListDeliveryStreams", "{}").body ==
        R"({"DeliveryStreamNames":["orders","pears"],"HasMoreDeliveryStreams":false})");
  CHECK(core.TryCreate("orders").type() == "ResourceInUseException");
  core.MustRun("DeleteDeliveryStream", std::string(kOrders));
  CHECK(core.Run("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":""}})").type() ==
        "ResourceNotFoundException");
}

}  // namespace
}  // namespace sluice::broker::firehose
