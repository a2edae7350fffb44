// A native door with one stream of two shards over the core of core_fixture.h.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "broker/api/native/native_door.h"
#include "broker/groups/group_service.h"
#include "protocol/native/data_messages.h"
#include "tests/broker/core_fixture.h"
#include "tests/broker/raw_client.h"

namespace sluice::broker {

struct Door {
  explicit Door(std::size_t loops = 1, native::NativeDoorOptions options = {}, AppendOptions append_options = {},
                DeliveryControl* delivery = nullptr)
      : core(loops, append_options) {
    options.port = 0;
    const native::NativeDoorParts parts{.catalog = *core.catalog,
                                        .shards = core.shards,
                                        .holds = core.holds,
                                        .store = core.store,
                                        .resharder = core.resharder,
                                        .groups = *groups,
                                        .keyring = core.keyring,
                                        .appends = *core.appends,
                                        .reads = *core.reads,
                                        .metrics = core.metrics,
                                        .clock = core.env->clock(),
                                        .append_options = append_options,
                                        .delivery = delivery};
    door = std::move(*native::NativeDoor::Start(parts, options));
    stream = *core.catalog->Create("orders", 2, {});
  }
  ~Door() {
    if (!stopped) Stop(10'000);
  }
  bool Stop(std::int64_t timeout_ms) {
    stopped = true;
    door->StopAccepting();
    core.shards.Stop();
    core.stopped = true;
    const bool clean = door->Finish(timeout_ms);
    core.StopLoops();
    return clean;
  }
  std::uint16_t port() const { return door->port(); }
  std::uint32_t id() const { return stream->id.value; }

  Core core;
  std::unique_ptr<groups::GroupService> groups = std::move(*groups::GroupService::Open({.metadata = *core.metadata,
                                                                                        .catalog = *core.catalog,
                                                                                        .store = core.store,
                                                                                        .clock = core.env->clock(),
                                                                                        .random = core.env->random()}));
  std::unique_ptr<native::NativeDoor> door;
  StreamPtr stream;
  bool stopped = false;
};

/// The oldest records of a shard.
inline std::string ReadControl(std::uint32_t stream, std::uint32_t shard, std::uint32_t wait_ms = 0) {
  return std::string(protocol::wire::Encode(protocol::wire::ReadRequest{.stream_id = stream,
                                                                        .shard = shard,
                                                                        .from = protocol::wire::ReadFrom::kOldest,
                                                                        .bytes_max = 64u << 20,
                                                                        .wait_ms = wait_ms})
                         .view());
}

}  // namespace sluice::broker
