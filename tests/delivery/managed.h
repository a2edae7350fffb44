// The delivery stage over the broker's core, a stream "orders" with two shards, and a lake in a directory of its own.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/delivery_manager.h"
#include "tests/broker/core_fixture.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"
#include "tools/verify/verify.h"

namespace sluice::delivery {

inline std::string Document(std::string_view name, std::string_view stream, std::string_view sluice = "") {
  const std::string source =
      stream.empty() ? "" : fmt::format(R"("KinesisStreamSourceConfiguration": {{"KinesisStreamARN": "{}"}},)", stream);
  return fmt::format(R"({{"DeliveryStreamName": "{}", {}
    "ExtendedS3DestinationConfiguration": {{"BucketARN": "arn:aws:s3:::lake", "RoleARN": "r", "CompressionFormat": "GZIP"}},
    "Sluice": {{"StartPosition": "oldest" {}}}}})",
                     name, source, sluice);
}

/// Metadata whose transactions wait while they are held.
class HeldMetadata final : public storage::MetadataStore {
 public:
  explicit HeldMetadata(storage::MetadataStore& store) : store_(store) {}
  void Hold(bool held) {
    held_ = held;
    held_.notify_all();
  }
  Result<std::optional<std::string>> Get(std::string_view key) override { return store_.Get(key); }
  Result<std::vector<KeyValue>> Scan(std::string_view prefix) override { return store_.Scan(prefix); }
  Status Commit(const storage::Transaction& transaction) override {
    held_.wait(true);
    return store_.Commit(transaction);
  }

 private:
  storage::MetadataStore& store_;
  std::atomic<bool> held_ = false;
};

struct Managed {
  Managed() {
    options.lake_dir = temp.path() + "/lake-root";
    core.store.SetAppendTime(core.env->clock().WallMs());  // older ones would be due before anybody asks for a flush
    REQUIRE(core.catalog->Create("orders", 2, {}).has_value());
  }
  ~Managed() { manager.reset(); }

  void Start() {
    manager.reset();
    auto started = DeliveryManager::Start(options, {.catalog = *core.catalog,
                                                    .loops = core.loops,
                                                    .appends = *core.appends,
                                                    .append_options = core.append_limits,
                                                    .reads = *core.reads,
                                                    .holds = core.holds,
                                                    .metadata = metadata,
                                                    .env = *core.env,
                                                    .work_dir = temp.path() + "/work",
                                                    .forget_stream = [this](broker::StreamPtr stream) {
                                                      forgotten.push_back(stream->name);
                                                      core.shards.ForgetStream(std::move(stream));
                                                    }});
    REQUIRE(started.has_value());
    manager = std::move(*started);
  }
  Result<DeliveryAnswer> Do(DeliveryAction action, std::string_view name, std::string_view document = "") {
    return manager->Handle(action, name, document, temp.path() + "/file.json");
  }
  LedgerDocument Ledger(const std::string& name) {
    auto ledger = tools::CollectLedger([&](const std::string& from) -> Result<std::string> {
      auto page = manager->Handle(DeliveryAction::kLedger, name, from, "");
      return page ? Result<std::string>(page->document) : Error(page.error());
    });
    REQUIRE(ledger.has_value());
    return *ledger;
  }

  std::string Answer(DeliveryAction action, std::string_view name, std::string_view document = "") {
    auto answer = Do(action, name, document);
    INFO((answer ? "" : answer.error().message()));
    REQUIRE(answer.has_value());
    return answer->document;
  }
  void Append(std::string_view stream, std::uint32_t shard, int records) {
    const auto found = core.catalog->Find(stream);
    REQUIRE(found.has_value());
    REQUIRE(core.Append(0, core.ShardOf(*found, shard), broker::BatchOf(records, R"({"id":1})")).get().has_value());
  }
  void WriteFile(const std::string& name, std::string_view text) {
    std::ofstream(temp.path() + "/" + name, std::ios::binary) << text;
  }

  storage::TempDir temp;
  broker::Core core;
  HeldMetadata metadata{*core.metadata};
  DeliveryOptions options;
  std::vector<std::string> forgotten;
  std::unique_ptr<DeliveryManager> manager;
};

inline bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace sluice::delivery
