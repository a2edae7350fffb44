// The Firehose operations over the broker's core and the delivery stage, called as the AWS port calls them; the lake is
// a directory of its own.
//
//     FirehoseCore core;
//     core.Create("orders");
//     core.MustRun("PutRecord", R"({"DeliveryStreamName":"orders","Record":{"Data":"eA=="}})");
//     CHECK(core.Delivered("orders") == "x");
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "broker/api/firehose/firehose_service.h"
#include "broker/delivery/delivery_manager.h"
#include "tests/broker/core_fixture.h"
#include "tests/broker/kinesis/kinesis_fixture.h"
#include "tests/broker/master_keys.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::broker::firehose {

using kinesis::Reply;
using protocol::aws::ApiError;

inline constexpr std::string_view kRole = "arn:aws:iam::123456789012:role/firehose";

/// The members of a destination that must be there, and more: R"("Prefix":"orders/")".
inline std::string Destination(std::string_view more = "") {
  return fmt::format(R"({{"RoleARN":"{}","BucketARN":"arn:aws:s3:::lake"{}{}}})", kRole, more.empty() ? "" : ",", more);
}

/// Source records are backed up in another bucket. `more`: further members of its place, with a comma in front.
inline std::string Backup(std::string_view more = "") {
  return fmt::format(R"("S3BackupMode":"Enabled","S3BackupConfiguration":)"
                     R"({{"RoleARN":"{}","BucketARN":"arn:aws:s3:::spare"{}}})",
                     kRole, more);
}

/// A SecretsManagerConfiguration. `more`: further members, with a comma in front.
inline std::string Secret(std::string_view name, std::string_view more = "") {
  return fmt::format(R"("SecretsManagerConfiguration":{{"Enabled":true,"SecretARN":)"
                     R"("arn:aws:secretsmanager:us-east-1:123456789012:secret:{}-a1b2c3"{}}})",
                     name, more);
}

class FirehoseCore {
 public:
  explicit FirehoseCore(FirehoseOptions firehose_options = {}, AppendOptions append_options = {},
                        std::unique_ptr<KeyProvider> master_keys = nullptr)
      : core(1, append_options, {}, std::move(master_keys)), options_(firehose_options) {
    delivery_options_.lake_dir = temp_.path() + "/lake-root";
    core.store.SetAppendTime(core.env->clock().WallMs());  // older records would be due before anybody asks for them
    Start();
  }
  ~FirehoseCore() { manager.reset(); }

  /// A file in the folder of Glue tables, which is asked from the next start on.
  void PutTable(std::string_view file, std::string_view json) {
    delivery_options_.tables_dir = temp_.path() + "/tables";
    const std::filesystem::path path = std::filesystem::path(delivery_options_.tables_dir) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << json;
  }
  /// A secret of the folder of secrets, which is asked from the next start on.
  void PutSecret(std::string_view name, std::string_view json) {
    delivery_options_.secrets_dir = temp_.path() + "/secrets";
    const std::filesystem::path path =
        std::filesystem::path(delivery_options_.secrets_dir) / fmt::format("{}.json", name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << json;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  /// A domain of OpenSearch, which is known from the next start on.
  void PutDomain(std::string_view name, std::string_view url) { delivery_options_.domains.emplace(name, url); }
  void ForgetTables() { delivery_options_.tables_dir.clear(); }
  const std::vector<aws::Operation>& operations() const { return service_.operations; }
  /// The configuration of a delivery stream, as the stage has it.
  std::string Config(std::string_view name) const { return manager->Find(name)->config; }
  /// The delivery stage ends and begins anew.
  void Restart() { Start(); }

  Reply Run(std::string_view operation, std::string json) { return RunAs(caller, operation, std::move(json)); }
  Reply RunAs(const aws::Caller& as, std::string_view operation, std::string json) {
    const auto found = std::ranges::find(service_.operations, operation, &aws::Operation::name);
    REQUIRE(found != service_.operations.end());
    const auto call =
        std::make_shared<kinesis::FakeCall>(protocol::aws::Encoding::kJson, std::move(json), as, core.loops.loop(0));
    auto wrong = protocol::aws::CheckTypes(call->input(), found->input());
    if (!wrong) wrong = protocol::aws::CheckConstraints(call->input(), found->input());
    if (wrong) return Reply{"", std::move(wrong)};
    const bool blocking = found->thread == aws::OperationThread::kBlocking;
    if (blocking) core.loops.RunBlocking([run = found->run, call] { run(call); });
    if (!blocking) call->loop().Post([run = found->run, call] { run(call); });
    auto [reply, on_loop] = call->Wait();
    CHECK(on_loop == !blocking);
    return std::move(reply);
  }
  /// A call that succeeds.
  Reply MustRun(std::string_view operation, std::string json) {
    Reply reply = Run(operation, std::move(json));
    INFO(operation << ": " << reply.type() << ": " << reply.message());
    REQUIRE(!reply.error);
    return reply;
  }

  /// CreateDeliveryStream with an extended destination. `more`: further members of the input, with a comma in front.
  Reply TryCreate(std::string_view name, std::string_view destination_more = "", std::string_view more = "") {
    return Run("CreateDeliveryStream",
               fmt::format(R"({{"DeliveryStreamName":"{}","ExtendedS3DestinationConfiguration":{}{}}})", name,
                           Destination(destination_more), more));
  }
  void Create(std::string_view name, std::string_view destination_more = "", std::string_view more = "") {
    const Reply reply = TryCreate(name, destination_more, more);
    INFO(reply.type() << ": " << reply.message());
    REQUIRE(!reply.error);
  }
  /// Of a stream that is there.
  void CreateFromStream(std::string_view name, std::string_view stream) { Create(name, "", FromStream(stream)); }
  static std::string FromStream(std::string_view stream) {
    return fmt::format(R"(,"DeliveryStreamType":"KinesisStreamAsSource","KinesisStreamSourceConfiguration":)"
                       R"({{"KinesisStreamARN":"arn:aws:kinesis:us-east-1:123456789012:stream/{}","RoleARN":"{}"}})",
                       stream, kRole);
  }
  Reply Describe(std::string_view name) {
    return MustRun("DescribeDeliveryStream", fmt::format(R"({{"DeliveryStreamName":"{}"}})", name));
  }
  /// The value at a place of the description: "VersionId", "Destinations.0.ExtendedS3DestinationDescription.Prefix".
  std::string DescribedAt(std::string_view name, std::string_view place) {
    return Describe(name).At("DeliveryStreamDescription." + std::string(place));
  }
  Reply Update(std::string_view name, std::string_view version, std::string_view update) {
    return Run("UpdateDestination",
               fmt::format(R"({{"DeliveryStreamName":"{}","CurrentDeliveryStreamVersionId":"{}",)"
                           R"("DestinationId":"destinationId-000000000001","ExtendedS3DestinationUpdate":{{{}}}}})",
                           name, version, update));
  }
  Reply Put(std::string_view name, std::string_view data) {
    return MustRun("PutRecord", fmt::format(R"({{"DeliveryStreamName":"{}","Record":{{"Data":"{}"}}}})", name,
                                            protocol::EncodeBase64(data)));
  }

  /// What puts were counted as, as Prometheus text.
  std::string PutCounts() {
    Metrics metrics(1);
    metrics.AddSource([this](MetricSink& sink) { put_metrics_->Collect(*manager, sink); });
    return metrics.Render();
  }

  /// All objects in the lake, by key.
  std::map<std::string, std::string> Lake() const {
    std::map<std::string, std::string> objects;
    const std::filesystem::path root = delivery_options_.lake_dir;
    if (!std::filesystem::exists(root)) return objects;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string key = std::filesystem::relative(entry.path(), root);
      if (!entry.is_regular_file() || key.contains(".sluice")) continue;
      std::ostringstream bytes;
      bytes << std::ifstream(entry.path(), std::ios::binary).rdbuf();
      objects[key] = bytes.str();
    }
    return objects;
  }
  /// Delivers what was put, and gives what the lake has, object by object.
  std::string Delivered(std::string_view name) {
    auto flushed = manager->Handle(DeliveryAction::kFlush, name, "", "");
    INFO((flushed ? "" : flushed.error().message()));
    REQUIRE(flushed.has_value());
    std::string all;
    for (const auto& [key, bytes] : Lake()) all += bytes;
    return all;
  }

  Core core;
  std::unique_ptr<delivery::DeliveryManager> manager;
  aws::Caller caller{.account = "123456789012", .region = "us-east-1", .access_key = "test"};

 private:
  void Start() {
    manager.reset();
    auto started = delivery::DeliveryManager::Start(delivery_options_, {.catalog = *core.catalog,
                                                                        .loops = core.loops,
                                                                        .appends = *core.appends,
                                                                        .append_options = core.append_limits,
                                                                        .reads = *core.reads,
                                                                        .holds = core.holds,
                                                                        .metadata = *core.metadata,
                                                                        .env = *core.env,
                                                                        .work_dir = temp_.path() + "/work",
                                                                        .forget_stream = [this](StreamPtr stream) {
                                                                          core.shards.ForgetStream(std::move(stream));
                                                                        }});
    REQUIRE(started.has_value());
    manager = std::move(*started);
    service_ = FirehoseService({.catalog = *core.catalog,
                                .appends = *core.appends,
                                .deliveries = *manager,
                                .keyring = core.keyring,
                                .clock = core.env->clock(),
                                .random = core.env->random(),
                                .append_options = core.append_limits,
                                .options = options_,
                                .put_metrics = put_metrics_});
  }

  const FirehoseOptions options_;
  const std::shared_ptr<PutMetrics> put_metrics_ = std::make_shared<PutMetrics>();
  storage::TempDir temp_;
  delivery::DeliveryOptions delivery_options_;
  aws::Service service_;
};

}  // namespace sluice::broker::firehose
