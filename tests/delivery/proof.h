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
    for (const auto& [key, bytes] : world.Lake()) {
      std::filesystem::create_directories((root() / key).parent_path());
      std::ofstream(root() / key, std::ios::binary) << bytes;
      if (key.starts_with("errors/")) error_object = root() / key;
    }
    const bool elsewhere = world.config.backup && world.config.backup->bucket != world.config.bucket;
    if (elsewhere) {
      for (const auto& [key, bytes] : world.Bucket(world.config.backup->bucket)) {
        std::filesystem::create_directories((backup_root() / key).parent_path());
        std::ofstream(backup_root() / key, std::ios::binary) << bytes;
      }
    }
    document_ = {.name = world.config.name,
                 .uid = world.stream->identity().uid,
                 .stream = "orders",
                 .stream_exists = true,
                 .bucket = "lake",
                 .directory = root().string(),
                 .backup_directory = elsewhere ? backup_root().string() : "",
                 .converted = world.config.convert,
                 .endpoint = world.config.endpoint.url,
                 .shards = world.stream->status().checkpoint.shards,
                 .intent = std::nullopt,
                 .entries = world.Ledger()};
  }
  tools::VerifyReport Verify() {
    auto report = tools::VerifyDelivery(document_, {});
    REQUIRE(report.has_value());
    return *report;
  }
  LedgerDocument& document() { return document_; }
  std::filesystem::path root() const { return std::filesystem::path(temp_.path()) / "lake"; }

  std::filesystem::path backup_root() const { return std::filesystem::path(temp_.path()) / "backup"; }
  LedgerDocument& ledger() { return document_; }

  std::filesystem::path error_object;

 private:
  storage::TempDir temp_;
  LedgerDocument document_;
};

}  // namespace sluice::delivery
