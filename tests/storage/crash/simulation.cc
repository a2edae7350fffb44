// The work, the crashes and the comparison.
#include "tests/storage/crash/simulation.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "protocol/check.h"
#include "storage/journal_format.h"
#include "storage/producer_table.h"
#include "tests/catch.h"

namespace sluice::storage {
namespace {

constexpr const char* kDir = "/data";
constexpr const char* kJournalDir = "/data/journal";
constexpr std::chrono::seconds kPatience{20};

/// So small that a few hundred batches pass through every state: recycled journal files, checkpoints, sealed segments.
LogStoreOptions SmallOptions() {
  LogStoreOptions options;
  options.journal_file_bytes = 64u << 10;
  options.journal_bytes_max = 256u << 10;
  options.segment_bytes = 48u << 10;
  options.tail_bytes_max = 128u << 10;
  options.write_behind_bytes = 4u << 10;
  options.inline_commit_bytes = 8u << 10;
  options.flush_interval_ms = 1;
  options.checkpoint_interval_ms = 20;
  return options;
}

std::vector<GroupHeader> Groups(std::string_view journal_file) {
  std::vector<GroupHeader> groups;
  for (std::size_t at = 0; at < journal_file.size(); at += kPageBytes) {
    const Result<GroupHeader> group = VerifyGroupHeader(journal_file.substr(at));
    if (group.has_value()) groups.push_back(*group);
  }
  return groups;
}

ProducerId ProducerOf(std::uint32_t shard) { return ProducerId(100 + shard); }

}  // namespace

Simulation::Simulation(std::uint64_t seed) : chance_(seed), env_(seed) {
  for (std::uint32_t i = 0; i < kShards; ++i) shards_.emplace_back().id = {StreamId(1), ShardIndex(i)};
}

Simulation::~Simulation() { Stop(); }

Status Simulation::Start() {
  SLUICE_CHECK(!running());
  report_ = {};
  auto opened = LogStore::Open(env_, kDir, SmallOptions(), &report_);
  if (!opened.has_value()) return opened.error();
  store_ = std::move(*opened);
  writer_ = store_->NewWriter(loop_);
  for (ShardModel& shard : shards_) shard.log = store_->OpenShard(shard.id);
  return {};
}

void Simulation::MustStart() {
  const Status status = Start();
  INFO(status.ToString());
  REQUIRE(status.ok());
  INFO(report_.quarantined.size() << " quarantined, the first: "
                                  << (report_.quarantined.empty() ? "" : report_.quarantined[0]));
  REQUIRE(report_.quarantined.empty());
  Verify();
  SendUnansweredAgain();
}

void Simulation::Stop() {
  ++boot_;
  unanswered_ = 0;
  for (ShardModel& shard : shards_) {
    shard.unanswered = 0;
    shard.log.reset();
  }
  writer_.reset();
  loop_.Forget();
  store_.reset();
  loop_.Forget();
}

Status Simulation::CloseCleanly() {
  Settle();
  for (ShardModel& shard : shards_) shard.log.reset();
  const Status status = store_->Close();
  if (!status.ok()) flush_failed_ = true;
  Stop();
  if (status.ok()) {
    for (ShardModel& shard : shards_) {
      for (Batch& batch : shard.batches) {
        if (batch.state == State::kWritten) batch.state = State::kDurable;
      }
    }
  }
  return status;
}

void Simulation::Crash(CrashOptions options) {
  if (store_ != nullptr && !store_->stats().writable) flush_failed_ = true;
  env_.PowerOff();
  Stop();
  env_.ClearFailures();
  env_.SetDiskFull(false);
  env_.PowerOn(options);
  const bool written_survives = options.unsynced == Unsynced::kKept && !flush_failed_;
  flush_failed_ = false;
  if (written_survives) return;
  // `written` promises nothing in a power cut, nor after a failed flush: the system may have dropped what it had taken.
  for (ShardModel& shard : shards_) {
    for (Batch& batch : shard.batches) {
      if (batch.state == State::kWritten) batch.state = State::kSent;
    }
  }
}

// Appends.

std::string Simulation::Value(std::uint32_t shard, const Batch& batch, std::int32_t record) {
  std::string value = std::to_string(shard) + ":" + std::to_string(batch.number) + ":" + std::to_string(record) + ":" +
                      std::to_string(batch.value_bytes) + ":";
  SeededRandom bytes(shard * 1'000'003u + batch.number * 7u + static_cast<std::uint64_t>(record));
  while (value.size() < batch.value_bytes) {
    const std::uint64_t word = bytes.Next();
    value.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return value;
}

protocol::FrameBuffer Simulation::Encode(std::uint32_t shard, const Batch& batch) const {
  protocol::BatchBuilder builder;
  if (IsIdempotent(shard)) {
    builder.SetProducer(ProducerOf(shard), 0, static_cast<std::int32_t>(batch.number) * kRecords);
  }
  for (std::int32_t i = 0; i < kRecords; ++i) builder.Add(1000 + i, "key", Value(shard, batch, i));
  std::string bytes;
  builder.Finish(bytes);
  protocol::FrameBuffer buffer(bytes.size());
  std::memcpy(buffer.batch().data(), bytes.data(), bytes.size());
  return buffer;
}

void Simulation::Append(std::uint32_t shard, AckMode ack) {
  ShardModel& model = shards_[shard];
  if (IsIdempotent(shard) && model.unanswered == kProducerWindow) return;
  // After a refusal an idempotent producer takes up its numbers where they ended.
  if (IsIdempotent(shard) && model.unanswered == 0) model.next_number = NextAfter(model);
  const std::size_t bytes = Below(20) == 0 ? Below(20'000) : Below(600);
  const std::uint64_t number = model.next_number++;
  model.batches.push_back({.number = number, .value_bytes = bytes, .base = {}});
  Send(shard, number, ack);
}

void Simulation::Send(std::uint32_t shard, std::uint64_t number, AckMode ack) {
  protocol::FrameBuffer buffer = Encode(shard, *Find(shard, number));
  const auto header = protocol::VerifyBatch(buffer.batch_view());
  SLUICE_CHECK(header.has_value());
  ++unanswered_;
  ++shards_[shard].unanswered;
  writer_->Append(*shards_[shard].log, std::move(buffer), *header, ack,
                  [this, shard, number, ack, boot = boot_](const Result<Appended>& result) {
                    if (boot == boot_) Answered(shard, number, ack, result);
                  });
}

void Simulation::Answered(std::uint32_t shard, std::uint64_t number, AckMode ack, const Result<Appended>& result) {
  INFO("batch " << number << " of shard " << shard << ": " << (result.has_value() ? "ok" : result.error().ToString()));
  REQUIRE(unanswered_ > 0);
  --unanswered_;
  --shards_[shard].unanswered;
  Batch* const batch = Find(shard, number);
  REQUIRE(batch != nullptr);  // answered once
  if (result.has_value()) {
    if (ack == AckMode::kNone) return;
    INFO("batch " << number << " of shard " << shard << (result->duplicate ? ", a duplicate" : ""));
    if (batch->state == State::kDurable) REQUIRE(result->base_offset.value == batch->base.value);
    batch->base = result->base_offset;
    batch->acknowledged = true;
    batch->state = ack == AckMode::kDurable ? State::kDurable : State::kWritten;
    ++acknowledged_;
    return;
  }
  const Code code = result.error().code();
  INFO(result.error().ToString());
  const bool refused = code == Code::kResourceExhausted || code == Code::kFailedPrecondition;
  CHECK((refused || code == Code::kIoError || code == Code::kCorruption));
  // Nothing was done only where the code says so; with any other the batch may or may not be there after a restart.
  if (refused && batch->state == State::kSent) {
    std::erase_if(shards_[shard].batches, [&](const Batch& b) { return b.number == number; });
  }
}

std::uint64_t Simulation::NextAfter(const ShardModel& shard) {
  return shard.batches.empty() ? 0 : shard.batches.back().number + 1;
}

Simulation::Batch* Simulation::Find(std::uint32_t shard, std::uint64_t number) {
  std::vector<Batch>& batches = shards_[shard].batches;
  const auto found = std::ranges::lower_bound(batches, number, {}, &Batch::number);
  return found != batches.end() && found->number == number ? &*found : nullptr;
}

void Simulation::RandomWork(int steps) {
  for (int i = 0; i < steps && env_.powered(); ++i) {
    if (store_->overloaded()) WaitUntilReady();
    switch (Below(10)) {
      case 0:
        Settle();
        break;
      case 1:
        ReadSomething();
        break;
      case 2:
        env_.manual_clock().AdvanceMs(static_cast<std::int64_t>(Below(50)));
        break;
      case 3:
        loop_.RunReady();
        break;
      default:
        Append(static_cast<std::uint32_t>(Below(kShards)), Below(4) == 0 ? AckMode::kWritten : AckMode::kDurable);
    }
  }
}

void Simulation::Settle() {
  const bool answered = loop_.RunUntil([this] { return unanswered_ == 0; }, kPatience);
  INFO(unanswered_ << " appends without an answer");
  REQUIRE(answered);
}

bool Simulation::NewestGroupIsMarked() {
  std::uint64_t newest = 0;
  std::uint64_t mark = 0;
  for (const std::string& name : env_.List(kJournalDir).value()) {
    const std::string path = std::string(kJournalDir) + "/" + name;
    for (const GroupHeader& group : Groups(env_.ReadByHand(path))) {
      if (group.frame_count > 0) newest = std::max(newest, group.number);
    }
    for (const GroupHeader& group : Groups(env_.ReadDurable(path))) mark = std::max(mark, group.durable_mark);
  }
  return mark >= newest;
}

void Simulation::WaitForMark() {
  const auto marked = [this] {
    // Time passes: a flush of this moment puts the mark off.
    env_.manual_clock().AdvanceMs(1);
    loop_.Post([] {});  // looks again at once
    return NewestGroupIsMarked();
  };
  REQUIRE(loop_.RunUntil(marked, kPatience));
}

void Simulation::WaitUntilReady() {
  // Time passes while one waits: records that were only written are flushed when their interval is over, not before.
  env_.manual_clock().AdvanceMs(1'000);
  auto ready = std::make_shared<bool>(false);
  store_->WhenReady(loop_, [ready] { *ready = true; });
  const bool came = loop_.RunUntil([&] { return *ready; }, kPatience);
  REQUIRE(came);
}

// After a crash.

/// What an idempotent producer does when its connection died: the unanswered batches once more, in order. Those that
/// are stored must be answered with their first offset.
void Simulation::SendUnansweredAgain() {
  for (std::uint32_t s = 1; s < kShards; s += 2) {
    for (const Batch& batch : shards_[s].batches) {
      if (!batch.acknowledged) Send(s, batch.number, AckMode::kDurable);
    }
  }
  Settle();
}

// Copies of everything.

Simulation::Saved Simulation::Save() {
  SLUICE_CHECK(!running());
  Saved saved{.files = {}, .shards = shards_};
  std::vector<std::string> dirs = {kDir};
  while (!dirs.empty()) {
    const std::string dir = dirs.back();
    dirs.pop_back();
    for (const std::string& name : env_.List(dir).value()) {
      const std::string path = dir + "/" + name;
      if (env_.List(path).has_value()) {
        dirs.push_back(path);
      } else {
        saved.files[path] = env_.ReadByHand(path);
      }
    }
  }
  return saved;
}

void Simulation::Restore(const Saved& saved) {
  SLUICE_CHECK(!running());
  for (const auto& [path, bytes] : Save().files) env_.RemoveByHand(path);
  for (const auto& [path, bytes] : saved.files) env_.WriteByHand(path, bytes);
  shards_ = saved.shards;
}

// The comparison.

void Simulation::ShowEnds() {
  for (ShardModel& shard : shards_) {
    const Offset end = shard.log->durable_end();
    REQUIRE(end >= shard.seen_end);
    shard.seen_end = end;
  }
}

void Simulation::Verify(bool may_be_damaged) {
  for (std::uint32_t s = 0; s < kShards; ++s) VerifyShard(s, may_be_damaged);
}

void Simulation::VerifyShard(std::uint32_t s, bool may_be_damaged) {
  ShardModel& shard = shards_[s];
  INFO("shard " << s);
  const std::optional<std::size_t> found = ReadShard(s, may_be_damaged);
  if (!found.has_value()) return;
  if (!may_be_damaged) REQUIRE(shard.log->durable_end() >= shard.seen_end);  // I9, I6
  shard.seen_end = shard.log->durable_end();
  for (std::size_t i = 0; i < shard.batches.size(); ++i) {
    Batch& batch = shard.batches[i];
    const bool promised = batch.state != State::kSent;
    INFO("batch " << batch.number << " at offset " << batch.base.value << ", "
                  << (batch.state == State::kWritten ? "written, " : "") << *found << " batches are there");
    if (promised && !may_be_damaged) REQUIRE(i < *found);                                  // I1
    if (promised && may_be_damaged && i >= *found) REQUIRE(!report_.quarantined.empty());  // lost, but not in silence
    if (i < *found) {
      batch.state = State::kDurable;
      batch.base = Offset(i * kRecords);
    }
  }
  // What is still on its way is neither there nor missing.
  if (unanswered_ == 0) shard.batches.resize(std::min(*found, shard.batches.size()));
}

std::optional<std::size_t> Simulation::ReadShard(std::uint32_t s, bool may_be_damaged) {
  const ShardModel& shard = shards_[s];
  Offset next(0);
  if (!may_be_damaged) REQUIRE(shard.log->oldest() == next);
  std::size_t found = 0;
  while (next < shard.log->durable_end()) {
    auto tail = shard.log->ReadTail(next, 16u << 10);
    Result<FrameRun> run =
        tail.has_value() && tail->has_value() ? Result<FrameRun>(**tail) : shard.log->ReadBlocking(next, 16u << 10);
    if (!run.has_value()) {
      INFO(run.error().ToString());
      REQUIRE(may_be_damaged);
      REQUIRE(run.error().code() == Code::kCorruption);
      ++refused_reads_;
      return std::nullopt;
    }
    REQUIRE(!run->frames.empty());
    for (const protocol::Frame& frame : run->frames) {
      REQUIRE(found < shard.batches.size());  // nothing that was never sent: I2, I5
      VerifyFrame(s, shard.batches[found++], next, frame);
      next = frame.end_offset();
    }
    REQUIRE(run->next == next);
  }
  return found;
}

void Simulation::VerifyFrame(std::uint32_t s, const Batch& batch, Offset expected, const protocol::Frame& frame) const {
  INFO("batch " << batch.number << " at offset " << expected.value);
  REQUIRE(frame.base_offset() == expected);  // I3
  REQUIRE(frame.header().shard == shards_[s].id);
  if (batch.state != State::kSent) REQUIRE(batch.base == expected);
  std::string scratch;
  auto reader = protocol::BatchReader::Open(frame.batch(), scratch);
  REQUIRE(reader.has_value());
  for (std::int32_t i = 0; i < kRecords; ++i) {
    const auto record = reader->Next();
    REQUIRE(record.has_value());
    REQUIRE(*record != nullptr);
    REQUIRE((*record)->value == Value(s, batch, i));  // I4
  }
  REQUIRE(*reader->Next() == nullptr);
}

/// A reader beside the work: what it is shown must not go away in any crash.
void Simulation::ReadSomething() {
  ShardModel& shard = shards_[Below(kShards)];
  const Offset end = shard.log->durable_end();
  REQUIRE(end >= shard.seen_end);
  shard.seen_end = end;
  if (end.value == 0) return;
  const Offset from(Below(end.value));
  auto tail = shard.log->ReadTail(from, 4096);
  REQUIRE(tail.has_value());
  if (!tail->has_value()) {
    const auto run = shard.log->ReadBlocking(from, 4096);
    if (run.has_value()) REQUIRE(!run->frames.empty());
    if (!run.has_value()) REQUIRE(run.error().code() == Code::kIoError);
  }
}

}  // namespace sluice::storage
