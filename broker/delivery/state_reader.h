// Reads our own stored JSON: every field must be there and of its kind; the first mistake is kept and told at the end.
//
//     StateReader reader(tree, "the checkpoint");
//     checkpoint.next_seq = reader.U64("next_seq");
//     if (!reader.ok()) return Error(reader.status());
//
// One thread at a time; the tree outlives the reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/config_document.h"
#include "sluice/status.h"

namespace sluice::delivery {

class StateReader {
 public:
  StateReader(const ConfigNode& node, std::string_view what) : node_(node), what_(what) {}

  std::uint64_t U64(std::string_view key);
  std::int64_t I64(std::string_view key);
  std::uint32_t U32(std::string_view key);
  std::string String(std::string_view key);
  bool Bool(std::string_view key);
  /// Of an object: 16 hexadecimal digits.
  std::uint64_t Checksum(std::string_view key);
  const std::vector<ConfigNode>& List(std::string_view key);
  /// An empty map where the key is absent, which is a mistake.
  const ConfigNode& Map(std::string_view key);
  bool Has(std::string_view key) const { return node_.Find(key) != nullptr; }
  /// A mistake of the caller's finding.
  void Fail(std::string_view why);
  void Keep(const Status& status);

  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

 private:
  const ConfigNode* Field(std::string_view key, ConfigNode::Kind kind);

  const ConfigNode& node_;
  std::string what_;
  Status status_;
};

}  // namespace sluice::delivery
