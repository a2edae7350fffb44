// The native protocol's messages of consumer groups, through their handlers: whatever comes, checkpoints stay within
// their shards, and what is stored can be read again.
//
// An input is messages one behind the other: operation (1 byte), length (2 bytes, little-endian), control.
#include "broker/api/native/handlers/control_operation.h"
#include "broker/log.h"
#include "protocol/endian.h"
#include "tests/broker/core_fixture.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::broker {
namespace {

using protocol::wire::Operation;

/// One stream, "orders", with three shards and some records, for all inputs; a group service for each.
class World {
 public:
  World() {
    SLUICE_CHECK(log::Configure({.level = "error", .format = "text"}).ok());  // a line for each group is no help
    const StreamPtr stream = *core_.catalog->Create("orders", 2, {});
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
      SLUICE_CHECK(core_.Append(0, {stream->id, ShardIndex(shard)}, BatchOf(100)).get().has_value());
    }
    SLUICE_CHECK(core_.resharder.Split("orders", ShardIndex(0), {.high = 1, .low = 0}).has_value());
  }

  void Run(std::string_view input) {
    const auto metadata = storage::NewMemoryMetadataStore();
    const groups::GroupParts parts{.metadata = *metadata,
                                   .catalog = *core_.catalog,
                                   .store = core_.store,
                                   .clock = core_.env->clock(),
                                   .random = core_.env->random()};
    const auto service = std::move(*groups::GroupService::Open(parts));
    const native::HandlerContext context{.catalog = *core_.catalog,
                                         .shards = core_.shards,
                                         .holds = core_.holds,
                                         .store = core_.store,
                                         .resharder = core_.resharder,
                                         .groups = *service,
                                         .clock = core_.env->clock(),
                                         .keyring = core_.keyring,
                                         .append_options = {},
                                         .delivery = nullptr};
    while (input.size() >= 3) {
      const auto operation =
          static_cast<Operation>(static_cast<int>(Operation::kJoinGroup) + static_cast<unsigned char>(input[0]) % 8);
      const std::size_t length = protocol::LoadLittleEndian<std::uint16_t>(input.data() + 1);
      (void)native::FindControlOperation(operation)->handler(context, input.substr(3, length));
      input.remove_prefix(std::min(input.size(), 3 + length));
    }
    Check(*service);
    Check(**groups::GroupService::Open(parts));
  }

 private:
  static void Check(groups::GroupService& service) {
    const auto all = service.List("");
    SLUICE_CHECK(all.has_value());
    for (const groups::GroupDescription& group : *all) {
      for (const groups::ShardDescription& shard : group.shards) SLUICE_CHECK(shard.progress.next <= shard.end);
    }
  }

  Core core_;
};

}  // namespace
}  // namespace sluice::broker

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto* const world = new sluice::broker::World();
  world->Run(sluice::fuzz::Input(data, size));
  return 0;
}
