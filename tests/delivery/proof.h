// What a delivery stream of the tests has delivered, put before `sluice verify`.
#pragma once

#include <filesystem>
#include <fstream>

#include "tests/delivery/delivery_world.h"
#include "tests/storage/env/temp_dir.h"
#include "tools/verify/verify.h"

namespace sluice::delivery {

/// The ledger and the lake on the real disk, for `verify`.
class Proof {
 public:
  explicit Proof(World& world) {
    const auto config = world.stream->config();
    const Checkpoint checkpoint = world.stream->status().checkpoint;
    const std::string backup = config->backup ? config->backup->bucket : "";
    for (const std::string& bucket : {config->bucket, backup}) CopyBucket(world, bucket);
    for (const std::string& bucket : checkpoint.buckets) CopyBucket(world, bucket);
    document_ = {.name = config->name,
                 .uid = world.stream->identity().uid,
                 .stream = "orders",
                 .stream_exists = true,
                 .bucket = config->bucket,
                 .backup_bucket = backup,
                 .directories = directories_,
                 .endpoint = config->endpoint.url,
                 .shards = checkpoint.shards,
                 .intent = std::nullopt,
                 .entries = world.Ledger()};
  }
  tools::VerifyReport Verify() {
    auto report = tools::VerifyDelivery(document_, {});
    REQUIRE(report.has_value());
    return *report;
  }
  LedgerDocument& document() { return document_; }
  std::filesystem::path root() const { return Root("lake"); }
  std::filesystem::path backup_root() const { return Root("backup"); }
  LedgerDocument& ledger() { return document_; }

  std::filesystem::path error_object;

 private:
  std::filesystem::path Root(const std::string& bucket) const { return std::filesystem::path(temp_.path()) / bucket; }
  void CopyBucket(World& world, const std::string& bucket) {
    if (bucket.empty() || !directories_.try_emplace(bucket, Root(bucket).string()).second) return;
    for (const auto& [key, bytes] : world.Bucket(bucket)) {
      std::filesystem::create_directories((Root(bucket) / key).parent_path());
      std::ofstream(Root(bucket) / key, std::ios::binary) << bytes;
      if (key.starts_with("errors/")) error_object = Root(bucket) / key;
    }
  }

  storage::TempDir temp_;
  std::map<std::string, std::string> directories_;
  LedgerDocument document_;
};

}  // namespace sluice::delivery
