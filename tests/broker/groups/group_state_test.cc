// GroupState: single rules by name, and all of them over random histories of joins, leaves, crashes, splits, merges,
// retention and restarts.
#include "broker/groups/group_state.h"

#include <algorithm>
#include <random>
#include <set>

#include "tests/catch.h"

namespace sluice::broker::groups {
namespace {

constexpr std::int64_t kSessionMs = 1'000;
constexpr std::int64_t kReleaseMs = 3'000;

MemberInfo Info(std::string name = "m") {
  return {.name = std::move(name), .session_timeout_ms = kSessionMs, .release_timeout_ms = kReleaseMs};
}

/// Open shards without parents, each with `records` records.
std::vector<ShardFacts> OpenShards(std::uint32_t count, std::uint64_t records = 100) {
  std::vector<ShardFacts> shards;
  for (std::uint32_t i = 0; i < count; ++i) {
    shards.push_back({.shard = ShardIndex(i), .parents = {}, .closed = false, .oldest = {}, .end = Offset(records)});
  }
  return shards;
}

GroupState NewState(const std::vector<ShardFacts>& shards) {
  GroupState state({}, {}, 0, 1'000);
  state.SetShards(shards, 0);
  return state;
}

Checkpoint At(const Lease& lease, std::uint64_t next, bool release = false) {
  return {.shard = lease.shard, .epoch = lease.epoch, .next = Offset(next), .missed = 0, .release = release};
}

constexpr MemberId kAnna{1};
constexpr MemberId kBen{2};

TEST_CASE("GroupState Join: the first member gets all shards, the second half of them once they are released",
          "[broker]") {
  GroupState state = NewState(OpenShards(4));
  state.Join(kAnna, Info(), 0);
  REQUIRE(state.LeasesOf(kAnna).size() == 4);
  state.Join(kBen, Info(), 10);
  CHECK(state.LeasesOf(kBen).empty());
  CHECK(state.moving());
  for (const Lease& lease : state.LeasesOf(kAnna)) {
    if (lease.asked_back) REQUIRE(state.Commit(kAnna, std::vector{At(lease, 7, true)}, 20)->empty());
  }
  CHECK_FALSE(state.moving());
  REQUIRE(state.LeasesOf(kBen).size() == 2);
  CHECK(state.LeasesOf(kAnna).size() == 2);
  for (const Lease& lease : state.LeasesOf(kBen)) {
    CHECK(lease.epoch == 2);
    CHECK(lease.next == Offset(7));
  }
}

TEST_CASE("GroupState Tick: a shard that is not given back in time is taken, and its old lease is fenced", "[broker]") {
  GroupState state = NewState(OpenShards(2));
  state.Join(kAnna, Info(), 0);
  state.Join(kBen, Info(), 0);
  const auto before = state.LeasesOf(kAnna);
  for (std::int64_t now = 500; now <= kReleaseMs; now += 500) {
    REQUIRE(state.Heartbeat(kAnna, now).ok());
    REQUIRE(state.Heartbeat(kBen, now).ok());
    state.Tick(now);
    CHECK(state.LeasesOf(kBen).empty());
  }
  state.Tick(kReleaseMs + 1);
  REQUIRE(state.LeasesOf(kBen).size() == 1);
  const auto lost = std::ranges::find_if(
      before, [&](const Lease& lease) { return lease.shard == state.LeasesOf(kBen).front().shard; });
  const auto fenced = state.Commit(kAnna, std::vector{At(*lost, 50)}, kReleaseMs + 2);
  REQUIRE(fenced.has_value());
  CHECK(*fenced == std::vector{lost->shard});
  CHECK(state.shards().at(lost->shard).progress.next == Offset(0));
  CHECK(state.counts().fenced == 1);
}

TEST_CASE("GroupState Tick: a member that is not heard loses its leases after its session timeout", "[broker]") {
  GroupState state = NewState(OpenShards(2));
  state.Join(kAnna, Info(), 0);
  state.Join(kBen, Info(), 0);
  state.Leave(kBen, 0);
  state.Join(kBen, Info(), kSessionMs - 1);
  state.Tick(kSessionMs);
  CHECK(state.LeasesOf(kAnna).size() == 2);
  state.Tick(kSessionMs + 1);
  CHECK(state.FindMember(kAnna) == nullptr);
  CHECK(state.LeasesOf(kBen).size() == 2);
  CHECK(state.Heartbeat(kAnna, kSessionMs + 2).code() == Code::kFenced);
}

TEST_CASE("GroupState GiveTime: a broker that was not there itself does not remove members for it", "[broker]") {
  GroupState state = NewState(OpenShards(1));
  state.Join(kAnna, Info(), 0);
  state.GiveTime(10'000);
  state.Tick(10'000 + kSessionMs);
  CHECK(state.FindMember(kAnna) != nullptr);
}

TEST_CASE("GroupState: children come when all parents are finished", "[broker]") {
  GroupState state = NewState(OpenShards(2, 5));
  state.Join(kAnna, Info(), 0);
  const auto leases = state.LeasesOf(kAnna);
  // Both merged into 2; 0 has been read to its end before that.
  REQUIRE(state.Commit(kAnna, std::vector{At(leases[0], 5)}, 0)->empty());
  std::vector<ShardFacts> shards = OpenShards(3, 5);
  shards[0].closed = shards[1].closed = true;
  shards[2].parents = {ShardIndex(0), ShardIndex(1)};
  state.SetShards(shards, 0);
  REQUIRE(state.LeasesOf(kAnna).size() == 1);
  CHECK(state.LeasesOf(kAnna)[0].shard == ShardIndex(1));
  REQUIRE(state.Commit(kAnna, std::vector{At(leases[1], 5)}, 0)->empty());
  REQUIRE(state.LeasesOf(kAnna).size() == 1);
  CHECK(state.LeasesOf(kAnna)[0].shard == ShardIndex(2));
}

TEST_CASE("GroupState Commit: refusals and what does not move", "[broker]") {
  GroupState state = NewState(OpenShards(1, 10));
  state.Join(kAnna, Info(), 0);
  const Lease lease = state.LeasesOf(kAnna).front();
  CHECK(state.Commit(kAnna, std::vector{At(lease, 11)}, 0).error().code() == Code::kOutOfRange);
  REQUIRE(state.Commit(kAnna, std::vector{At(lease, 8)}, 0)->empty());
  REQUIRE(state.Commit(kAnna, std::vector{At(lease, 3)}, 0)->empty());
  CHECK(state.shards().at(lease.shard).progress.next == Offset(8));
  CHECK(state.Commit(kBen, std::vector{At(lease, 9)}, 0)->size() == 1);
  Lease older = lease;
  --older.epoch;
  CHECK(state.Commit(kAnna, std::vector{At(older, 9)}, 0)->size() == 1);
  CHECK(state.Commit(MemberId(0), std::vector{Checkpoint{.shard = ShardIndex(9), .next = Offset(0)}}, 0)->size() == 1);
  CHECK(state.shards().at(lease.shard).progress.next == Offset(8));
}

TEST_CASE("GroupState Commit: one that ended its lease may be sent again", "[broker]") {
  auto shards = OpenShards(1, 10);
  GroupState state = NewState(shards);
  state.Join(kAnna, Info(), 0);
  const Lease lease = state.LeasesOf(kAnna).front();
  shards[0].closed = true;
  state.SetShards(shards, 0);
  Checkpoint last = At(lease, 10);
  last.missed = 3;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(state.Commit(kAnna, std::vector{last}, 0)->empty());
    CHECK(state.LeasesOf(kAnna).empty());
    CHECK(state.shards().at(lease.shard).progress.missed == 3);
  }
}

TEST_CASE("GroupState: records that retention removes are counted", "[broker]") {
  auto shards = OpenShards(1, 100);
  GroupState state = NewState(shards);
  shards[0].oldest = Offset(30);
  state.SetShards(shards, 0);
  CHECK(state.shards().at(ShardIndex(0)).progress.missed == 30);
  state.Join(kAnna, Info(), 0);
  const Lease lease = state.LeasesOf(kAnna).front();
  CHECK(lease.next == Offset(30));
  // A leased one is the member's business: it may have read further than it has committed.
  shards[0].oldest = Offset(60);
  state.SetShards(shards, 0);
  CHECK(state.shards().at(ShardIndex(0)).progress.next == Offset(30));
  Checkpoint checkpoint = At(lease, 70);
  checkpoint.missed = 5;
  REQUIRE(state.Commit(kAnna, std::vector{checkpoint}, 0)->empty());
  CHECK(state.shards().at(ShardIndex(0)).progress.missed == 35);
}

TEST_CASE("GroupState: a closed shard whose rest retention has taken is finished, not leased", "[broker]") {
  auto shards = OpenShards(2, 5);
  shards[1].parents = {ShardIndex(0)};
  shards[0].closed = true;
  GroupState state = NewState(shards);
  state.Join(kAnna, Info(), 0);
  state.Join(kBen, Info(), kSessionMs);
  REQUIRE(state.LeasesOf(kAnna).size() == 1);
  // It goes while the shard is leased; then its holder dies.
  shards[0].oldest = Offset(5);
  state.SetShards(shards, kSessionMs);
  state.Tick(kSessionMs + 1);
  CHECK(state.shards().at(ShardIndex(0)).progress.missed == 5);
  REQUIRE(state.LeasesOf(kBen).size() == 1);
  CHECK(state.LeasesOf(kBen).front().shard == ShardIndex(1));
}

// ---- random histories ----------------------------------------------------------------------------------------------

/// A stream that is appended to, split, merged and trimmed.
struct Stream {
  explicit Stream(std::uint32_t shards) : facts(OpenShards(shards, 0)) {}

  std::vector<std::size_t> Open() const {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < facts.size(); ++i) {
      if (!facts[i].closed) open.push_back(i);
    }
    return open;
  }
  void Append(std::mt19937_64& random) {
    for (const std::size_t i : Open()) facts[i].end = facts[i].end + random() % 20;
  }
  void Split(std::mt19937_64& random) {
    const auto open = Open();
    const std::size_t parent = open[random() % open.size()];
    facts[parent].closed = true;
    for (int i = 0; i < 2; ++i) AddChild({facts[parent].shard});
  }
  void Merge(std::mt19937_64& random) {
    const auto open = Open();
    if (open.size() < 2) return;
    const std::size_t at = random() % (open.size() - 1);
    facts[open[at]].closed = facts[open[at + 1]].closed = true;
    AddChild({facts[open[at]].shard, facts[open[at + 1]].shard});
  }
  void AddChild(std::vector<ShardIndex> parents) {
    facts.push_back(
        {.shard = ShardIndex(next++), .parents = std::move(parents), .closed = false, .oldest = {}, .end = {}});
  }
  void Trim(std::mt19937_64& random) {
    ShardFacts& shard = facts[random() % facts.size()];
    shard.oldest = shard.oldest + random() % (1 + (shard.end - shard.oldest));
  }
  /// The first of the oldest that is closed and empty goes.
  void Forget() {
    for (auto shard = facts.begin(); shard != facts.end(); ++shard) {
      const bool has_parents = std::ranges::any_of(shard->parents, [&](ShardIndex parent) {
        return std::ranges::find(facts, parent, &ShardFacts::shard) != facts.end();
      });
      if (!shard->closed || shard->oldest < shard->end || has_parents) continue;
      facts.erase(shard);
      return;
    }
  }

  std::vector<ShardFacts> facts;
  std::uint32_t next = static_cast<std::uint32_t>(facts.size());
};

/// A client: it knows what its last heartbeat said, and nothing else.
struct Client {
  MemberId id;
  bool alive = true;
  std::vector<Lease> leases;
};

class World {
 public:
  World(std::uint64_t seed, bool with_crashes) : random_(seed), with_crashes_(with_crashes), stream_(3) { Restart(); }

  void Step() {
    now_ms_ += static_cast<std::int64_t>(random_() % 150);
    Act();
    for (Client& client : clients_) {
      if (client.alive && random_() % 2 == 0) Beat(client);
    }
    state_->Tick(now_ms_);
    Check();
  }
  /// Nothing happens any more but heartbeats: all that is there must get processed.
  void RunDry() {
    if (std::ranges::none_of(clients_, &Client::alive)) AddClient();
    for (int round = 0; round < 400; ++round) {
      now_ms_ += 100;
      for (Client& client : clients_) {
        if (client.alive) Beat(client);
      }
      state_->Tick(now_ms_);
      Check();
    }
    CheckBalanced();
    for (const auto& [index, shard] : state_->shards()) {
      INFO("shard " << index.value);
      CHECK(shard.progress.next == shard.facts.end);
    }
  }

 private:
  void Act() {
    switch (random_() % 16) {
      case 0:
        if (clients_.size() < 6) AddClient();
        break;
      case 1:
        Leave();
        break;
      case 2:
        if (with_crashes_ && !clients_.empty()) clients_[random_() % clients_.size()].alive = false;
        break;
      case 3:
        stream_.Split(random_);
        break;
      case 4:
      case 5:
        stream_.Merge(random_);
        break;
      case 6:
        stream_.Trim(random_);
        break;
      case 7:
        Restart();
        break;
      case 8:
        state_->SetShards(stream_.facts, now_ms_);
        stream_.Forget();
        break;
      default:
        stream_.Append(random_);
    }
    state_->SetShards(stream_.facts, now_ms_);
  }

  void AddClient() {
    clients_.push_back({.id = MemberId(++last_id_), .alive = true, .leases = {}});
    state_->Join(clients_.back().id, Info(), now_ms_);
  }
  void Leave() {
    if (clients_.empty()) return;
    const auto client = clients_.begin() + static_cast<std::ptrdiff_t>(random_() % clients_.size());
    state_->Leave(client->id, now_ms_);
    clients_.erase(client);
  }

  void Beat(Client& client) {
    if (!state_->Heartbeat(client.id, now_ms_).ok()) {
      state_->Join(client.id, Info(), now_ms_);  // it was thought dead
    }
    client.leases = state_->LeasesOf(client.id);
    std::vector<Checkpoint> checkpoints;
    for (const Lease& lease : client.leases) {
      const auto facts = std::ranges::find(stream_.facts, lease.shard, &ShardFacts::shard);
      REQUIRE(facts != stream_.facts.end());
      const std::uint64_t from = std::max(state_->shards().at(lease.shard).progress.next, facts->oldest).value;
      const std::uint64_t next = from + random_() % (1 + facts->end.value - from);
      Checkpoint checkpoint = At(lease, random_() % 3 == 0 ? facts->end.value : next, lease.asked_back);
      if (facts->oldest > state_->shards().at(lease.shard).progress.next) {
        checkpoint.missed = facts->oldest - state_->shards().at(lease.shard).progress.next;
      }
      checkpoints.push_back(checkpoint);
    }
    const auto fenced = state_->Commit(client.id, checkpoints, now_ms_);
    REQUIRE(fenced.has_value());
    CHECK(fenced->empty());
  }

  /// From what was stored, as after kill -9.
  void Restart() {
    Store();
    state_.emplace(stored_members_, stored_shards_, now_ms_, random_());
    state_->SetShards(stream_.facts, now_ms_);
  }

  void Store() {
    if (!state_) return;
    const GroupChanges changes = state_->TakeChanges();
    for (const auto& change : changes.shards) Apply(change, stored_shards_);
    for (const auto& change : changes.members) Apply(change, stored_members_);
  }
  template <typename Change, typename Map>
  static void Apply(const Change& change, Map& map) {
    const auto found = map.find(change.key);
    REQUIRE((found == map.end() ? !change.before : change.before == found->second));
    if (change.after) {
      map[change.key] = *change.after;
    } else {
      map.erase(change.key);
    }
  }

  void Check() {
    Store();
    for (const auto& [index, shard] : state_->shards()) {
      INFO("shard " << index.value);
      const ShardProgress& progress = shard.progress;
      if (shard.stored) REQUIRE(stored_shards_.at(index) == progress);
      if (shard.leased()) {
        const auto [holder, is_new] = holders_.try_emplace({index, progress.epoch}, progress.holder);
        REQUIRE(holder->second == progress.holder);  // one holder in each epoch
        REQUIRE(state_->FindMember(progress.holder) != nullptr);
        for (const ShardIndex parent : shard.facts.parents) {
          const auto found = state_->shards().find(parent);
          REQUIRE((found == state_->shards().end() || found->second.finished()));
        }
      }
      if (!state_->members().empty()) REQUIRE(shard.leased() == state_->CanBeRead(shard));
      std::uint64_t& epoch = epochs_[index];
      REQUIRE(progress.epoch >= epoch);
      epoch = progress.epoch;
      Offset& next = nexts_[index];
      REQUIRE(progress.next >= next);
      next = progress.next;
    }
  }

  void CheckBalanced() const {
    CHECK_FALSE(state_->moving());
    std::size_t least = SIZE_MAX;
    std::size_t most = 0;
    for (const auto& [id, member] : state_->members()) {
      const std::size_t held = state_->LeasesOf(id).size();
      least = std::min(least, held);
      most = std::max(most, held);
    }
    CHECK(most - least <= 1);
  }

  std::mt19937_64 random_;
  const bool with_crashes_;
  Stream stream_;
  std::int64_t now_ms_ = 1'000;
  std::uint64_t last_id_ = 0;
  std::vector<Client> clients_;
  std::optional<GroupState> state_;
  GroupState::Members stored_members_;
  GroupState::Shards stored_shards_;
  std::map<std::pair<ShardIndex, std::uint64_t>, MemberId> holders_;
  std::map<ShardIndex, std::uint64_t> epochs_;
  std::map<ShardIndex, Offset> nexts_;
};

TEST_CASE("GroupState: random histories keep every rule", "[broker]") {
  const std::uint64_t seed = GENERATE(take(30, random<std::uint64_t>(1, 1'000'000)));
  const bool with_crashes = GENERATE(true, false);
  INFO("seed " << seed << (with_crashes ? " with crashes" : ""));
  World world(seed, with_crashes);
  for (int i = 0; i < 300; ++i) world.Step();
  world.RunDry();
}

}  // namespace
}  // namespace sluice::broker::groups
