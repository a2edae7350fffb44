// Start-up: from what the directory holds to shards that can be read and appended to.
//
// Order: the journal files are opened, synced and their cache dropped (JournalFiles::Open); then the newest good
// checkpoint gives the shards, the journal is replayed on top, and what is missing is quarantined. Segment files are
// neither opened nor read, so the cost goes with the journal since the checkpoint. Only where no checkpoint can be
// trusted are the segments read and the shards rebuilt from them.
//
// Nothing is written but the tails, when the replayed frames are more than memory may hold; the old journal files stay
// until the first checkpoint. So recovery may be cut short anywhere and run again.
//
// Threads: one, before anything else runs; a second writes tails to segments while the first reads on.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/checkpoint.h"
#include "storage/journal_files.h"
#include "storage/journal_reader.h"
#include "storage/log_store.h"
#include "storage/segment_store.h"
#include "storage/shard_log_impl.h"

namespace sluice::storage {

class Recovery {
 public:
  struct Parts {
    Env& env;
    CheckpointFiles& checkpoints;
    JournalFiles& journal_files;
    SegmentStore& segments;
    TailBudget& budget;
    std::function<Status(ShardLogImpl&)> write_tail;  // to segments
  };
  struct Outcome {
    std::uint64_t checkpoint_sequence = 0;
    JournalPosition replay;           // from where the journal is still needed
    std::uint64_t next_sequence = 1;  // of journal files
    std::uint64_t next_group = 1;
  };
  using Shards = std::map<ShardId, std::shared_ptr<ShardLogImpl>>;

  Recovery(Parts parts, RecoveryReport& report) : parts_(std::move(parts)), report_(report) {}

  Result<Outcome> Run();
  Shards& shards() { return shards_; }

 private:
  /// The checkpoint, where everything that it names can be there; nullopt: rebuild.
  std::optional<Checkpoint> Trusted(CheckpointFiles::Loaded& loaded, const JournalReader& journal);
  /// An error where a journal file may be gone that held what was acknowledged last.
  Status CheckJournalFiles() const;
  void RestoreShards(const Checkpoint& checkpoint);
  Status Rebuild();
  Status RebuildShard(ShardId id, const std::vector<SegmentName>& names);
  Status RetireOrphans(const Checkpoint& checkpoint);
  Status ReplayFrame(protocol::Frame frame);
  /// Has the tails written, in the background while there is room for more frames.
  Status WriteTails();
  Status FinishWriting();
  void NoteDamage(const JournalDamage& damage);
  /// Quarantines what the journal lost and no later frame has shown the end of.
  void SettleDamage();
  void Quarantine(ShardLogImpl& shard, std::string reason, std::optional<Hole> hole);
  ShardLogImpl& Shard(ShardId id);

  const Parts parts_;
  RecoveryReport& report_;
  Shards shards_;
  std::set<SegmentName> names_;                           // segment files that are there
  std::vector<std::pair<GroupEntry, std::string>> lost_;  // with the file's path
  std::string unknown_damage_;                            // where something of unknown shards was lost; empty: nowhere
  std::set<ShardId> proven_;                              // shards that went on without a gap after it
  std::future<Status> writing_;                           // waits for its thread when destroyed, so it is the last one
};

}  // namespace sluice::storage
