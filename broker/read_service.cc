// Reads run on the loop that owns the shard: from memory there, from disk on the blocking pool or the caller's thread,
// and where there is nothing to read yet as a waiter of the shard with a timer. Many sealed bytes are opened where the
// disk is read, as others wait for the loop meanwhile.
#include "broker/read_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "broker/metrics.h"
#include "broker/shards.h"
#include "protocol/check.h"
#include "protocol/sealed_batch.h"

namespace sluice::broker {
namespace {

using storage::FrameRun;

constexpr std::uint64_t kOpenOnLoopBytesMax = 128u << 10;  // some 0.1 ms
constexpr int kOldestTries = 5;  // retention may move the oldest offset between looking and reading

// One read on its way. Held by exactly one place at a time, but for a waiting one: the shard's waiter and the timer
// share it.
struct PendingRead {
  PendingRead(storage::Executor& from, ReadRequest wanted, ReadService::Done answer)
      : caller(from), request(std::move(wanted)), done(std::move(answer)) {}

  storage::Executor& caller;
  ReadRequest request;
  ReadService::Done done;
  std::shared_ptr<storage::ShardLog> log;
  std::shared_ptr<const StreamKeys> keys;
  Offset first;
  bool positioned = false;  // `first` is set
  int tries = 0;
  std::uint32_t wait_left_ms = 0;

  // While waiting only:
  Waiters::iterator waiter;
  std::unique_ptr<LoopTimer> timer;
};
using ReadPtr = std::shared_ptr<PendingRead>;

void CountBytes(FrameRun& run) {
  run.bytes = 0;
  for (const protocol::Frame& frame : run.frames) run.bytes += frame.size();
}

// Cuts the run to whole frames of at most `records_max` records, but keeps one frame.
void CutRecords(FrameRun& run, std::uint64_t records_max) {
  if (records_max == 0 || run.frames.empty()) return;
  std::uint64_t records = 0;
  std::size_t kept = 0;
  while (kept < run.frames.size()) {
    records += run.frames[kept].header().record_count;
    if (records > records_max && kept > 0) break;
    ++kept;
  }
  run.frames.resize(kept);
  run.next = run.frames.back().end_offset();
  CountBytes(run);
}

std::uint64_t SealedBytes(const FrameRun& run) {
  std::uint64_t bytes = 0;
  for (const protocol::Frame& frame : run.frames) {
    if (protocol::IsSealed(frame.batch())) bytes += frame.size();
  }
  return bytes;
}

// Opens what is sealed. At a frame that cannot be opened the run ends, with an error only where it is the first.
Result<FrameRun> OpenSealed(FrameRun run, const StreamKeys& keys) {
  bool any = false;
  for (std::size_t i = 0; i < run.frames.size(); ++i) {
    if (!protocol::IsSealed(run.frames[i].batch())) continue;
    any = true;
    auto opened = keys.Open(run.frames[i]);
    if (opened) {
      run.frames[i] = std::move(*opened);
      continue;
    }
    if (i == 0) return Error(opened.error());
    run.frames.resize(i);
    run.next = run.frames.back().end_offset();
  }
  if (any) CountBytes(run);
  return run;
}

// What one loop does for the reads of its shards; on its thread only, but for what RunBlocking is given.
class LoopReads {
 public:
  LoopReads(EventLoops& loops, LoopShards& shards, LoopMetrics& metrics, const ReadOptions& options)
      : loops_(loops), shards_(shards), metrics_(metrics), options_(options) {}

  void Start(ReadPtr read);

 private:
  void Position(ReadPtr read, Shard& shard);
  void Attempt(ReadPtr read, Shard& shard);
  void RunBlocking(ReadPtr read, std::move_only_function<void(ReadPtr)> work);
  void ReadDisk(ReadPtr read);
  void OpenElsewhere(ReadPtr read, FrameRun run);
  void GoOn(ReadPtr read, Result<FrameRun> run);
  void FindTime(ReadPtr read, std::int64_t time_ms);
  void Take(ReadPtr read, Shard& shard, Result<FrameRun> run);
  void WaitFor(ReadPtr read, Shard& shard);
  void Woken(ReadPtr read, Wake wake);
  void Restart(ReadPtr read);
  void Answer(ReadPtr read, const Shard& shard, FrameRun run);
  void Fail(ReadPtr read, Status status);
  void Deliver(ReadPtr read, Result<ReadAnswer> answer);
  void OnCaller(const PendingRead& read, std::move_only_function<void()> task);

  EventLoops& loops_;
  LoopShards& shards_;
  LoopMetrics& metrics_;
  const ReadOptions options_;
};

void LoopReads::Start(ReadPtr read) {
  read->wait_left_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(read->request.wait_ms, options_.wait_ms_max));
  Restart(std::move(read));
}

// Goes on with a read from the loop: at its start, and when the disk has answered.
void LoopReads::Restart(ReadPtr read) {
  SLUICE_DCHECK(shards_.loop().InLoop());
  const auto shard = shards_.Find({read->request.stream, read->request.shard});
  if (!shard) return Fail(std::move(read), shard.error());
  read->log = (*shard)->log;
  read->keys = (*shard)->keys;
  if (!read->positioned) return Position(std::move(read), **shard);
  Attempt(std::move(read), **shard);
}

void LoopReads::Position(ReadPtr read, Shard& shard) {
  const ReadFrom& from = read->request.from;
  if (const auto* time = std::get_if<FromTime>(&from)) return FindTime(std::move(read), time->time_ms);
  if (const auto* offset = std::get_if<Offset>(&from)) read->first = *offset;
  if (std::holds_alternative<FromOldest>(from)) read->first = shard.log->oldest();
  if (std::holds_alternative<FromLatest>(from)) read->first = shard.log->durable_end();
  read->positioned = true;
  Attempt(std::move(read), shard);
}

void LoopReads::RunBlocking(ReadPtr read, std::move_only_function<void(ReadPtr)> work) {
  storage::Executor* const caller = read->request.caller_may_block ? &read->caller : nullptr;
  auto task = [read = std::move(read), work = std::move(work)]() mutable { work(std::move(read)); };
  if (caller != nullptr) return caller->Post(std::move(task));
  loops_.RunBlocking(std::move(task));
}

void LoopReads::FindTime(ReadPtr read, std::int64_t time_ms) {
  RunBlocking(std::move(read), [this, time_ms](ReadPtr read) {
    auto offset = read->log->OffsetAtTimeBlocking(time_ms);
    shards_.loop().Post([this, read = std::move(read), offset = std::move(offset)]() mutable {
      if (!offset) return Fail(std::move(read), offset.error());
      read->first = *offset;
      read->positioned = true;
      Restart(std::move(read));
    });
  });
}

void LoopReads::Attempt(ReadPtr read, Shard& shard) {
  const std::uint64_t bytes_max = std::clamp<std::uint64_t>(read->request.bytes_max, 1, options_.bytes_max);
  auto run = shard.log->ReadTail(read->first, bytes_max);
  if (!run) return Take(std::move(read), shard, Error(run.error()));
  if (!*run) return ReadDisk(std::move(read));
  Take(std::move(read), shard, std::move(**run));
}

void LoopReads::ReadDisk(ReadPtr read) {
  RunBlocking(std::move(read), [this](ReadPtr read) {
    const std::uint64_t bytes_max = std::clamp<std::uint64_t>(read->request.bytes_max, 1, options_.bytes_max);
    auto run = read->log->ReadBlocking(read->first, bytes_max);
    if (run) {
      CutRecords(*run, read->request.records_max);
      run = OpenSealed(std::move(*run), *read->keys);
    }
    GoOn(std::move(read), std::move(run));
  });
}

void LoopReads::OpenElsewhere(ReadPtr read, FrameRun run) {
  RunBlocking(std::move(read), [this, run = std::move(run)](ReadPtr read) mutable {
    auto opened = OpenSealed(std::move(run), *read->keys);
    GoOn(std::move(read), std::move(opened));
  });
}

// Back on the loop.
void LoopReads::GoOn(ReadPtr read, Result<FrameRun> run) {
  shards_.loop().Post([this, read = std::move(read), run = std::move(run)]() mutable {
    const auto shard = shards_.Find({read->request.stream, read->request.shard});
    if (!shard) return Fail(std::move(read), shard.error());
    Take(std::move(read), **shard, std::move(run));
  });
}

void LoopReads::Take(ReadPtr read, Shard& shard, Result<FrameRun> run) {
  const bool follows_oldest =
      std::holds_alternative<FromOldest>(read->request.from) || std::holds_alternative<FromTime>(read->request.from);
  if (!run && run.error().code() == Code::kOutOfRange && follows_oldest && read->tries < kOldestTries) {
    ++read->tries;
    read->first = std::max(read->first, shard.log->oldest());
    return Attempt(std::move(read), shard);
  }
  if (!run) return Fail(std::move(read), run.error());
  if (run->frames.empty() && read->wait_left_ms > 0 && !shard.closed) return WaitFor(std::move(read), shard);
  CutRecords(*run, read->request.records_max);
  const std::uint64_t sealed_bytes = SealedBytes(*run);  // from the disk they come opened
  if (sealed_bytes > kOpenOnLoopBytesMax) return OpenElsewhere(std::move(read), std::move(*run));
  if (sealed_bytes > 0) run = OpenSealed(std::move(*run), *read->keys);
  if (!run) return Fail(std::move(read), run.error());
  Answer(std::move(read), shard, std::move(*run));
}

void LoopReads::WaitFor(ReadPtr read, Shard& shard) {
  if (shards_.stopping())
    return Fail(std::move(read), Status(Code::kUnavailable, "the broker is stopping; connect again"));
  if (shards_.waiters() >= options_.waiters_max) {
    return Fail(std::move(read), Status(Code::kResourceExhausted,
                                        fmt::format("{} reads are waiting for records already (read.waiters_max); read "
                                                    "without waiting or try again later",
                                                    shards_.waiters())));
  }
  metrics_.long_polls_started.Add();
  if (read->request.waits) OnCaller(*read, std::exchange(read->request.waits, nullptr));
  const auto wait = std::chrono::milliseconds(std::exchange(read->wait_left_ms, 0));
  read->timer = std::make_unique<LoopTimer>(shards_.loop().timers());
  read->waiter = shards_.Wait(shard, [this, read](Wake wake) { Woken(read, wake); });
  read->timer->Start(wait, [this, weak = std::weak_ptr(read), &shard] {
    const ReadPtr waiting = weak.lock();
    if (!waiting) return;
    shards_.Unwait(shard, waiting->waiter);
    Woken(waiting, Wake::kTimedOut);
  });
}

void LoopReads::Woken(ReadPtr read, Wake wake) {
  SLUICE_CHECK(read->timer != nullptr);
  metrics_.long_polls_ended.Add();
  read->timer.reset();
  if (wake == Wake::kStopping)
    return Fail(std::move(read), Status(Code::kUnavailable, "the broker is stopping; connect again"));
  if (wake == Wake::kDeleted) {
    const StreamId stream = read->request.stream;
    return Fail(std::move(read), Status(Code::kNotFound, fmt::format("stream {} was deleted", stream.value)));
  }
  Restart(std::move(read));
}

void LoopReads::Answer(ReadPtr read, const Shard& shard, FrameRun run) {
  metrics_.reads.Add();
  metrics_.read_bytes.Add(run.bytes);
  // What lies between was lost and given up; a frame may also begin before what was asked for.
  const Offset first = run.frames.empty() ? run.next : std::max(read->first, run.frames.front().base_offset());
  ReadAnswer answer{std::move(run), first, read->log->oldest(), read->log->durable_end(), shard.closed};
  Deliver(std::move(read), std::move(answer));
}

void LoopReads::Fail(ReadPtr read, Status status) {
  SLUICE_CHECK(!status.ok());
  metrics_.reads_failed.Add();
  Deliver(std::move(read), Error(std::move(status)));
}

void LoopReads::Deliver(ReadPtr read, Result<ReadAnswer> answer) {
  SLUICE_CHECK(read->done != nullptr);
  // What the two hold is the caller's: nobody else may let go of it.
  auto done = std::exchange(read->done, nullptr);
  auto waits = std::exchange(read->request.waits, nullptr);
  storage::Executor* own_loop = &shards_.loop();
  if (&read->caller == own_loop) return done(std::move(answer));
  read->caller.Post([done = std::move(done), waits = std::move(waits), answer = std::move(answer)]() mutable {
    done(std::move(answer));
  });
}

void LoopReads::OnCaller(const PendingRead& read, std::move_only_function<void()> task) {
  storage::Executor* own_loop = &shards_.loop();
  if (&read.caller == own_loop) return task();
  read.caller.Post(std::move(task));
}

class ReadServiceImpl final : public ReadService {
 public:
  ReadServiceImpl(Shards& shards, Metrics& metrics, const ReadOptions& options) : loops_(shards.loops()) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      reads_.push_back(std::make_unique<LoopReads>(loops_, shards.at(i), metrics.loop(i), options));
    }
  }

  void Read(storage::Executor& caller, ReadRequest request, Done done) override {
    const std::size_t owner = loops_.OwnerIndexOf({request.stream, request.shard});
    LoopReads& reads = *reads_[owner];
    EventLoop& loop = loops_.loop(owner);
    auto read = std::make_shared<PendingRead>(caller, std::move(request), std::move(done));
    if (&caller == static_cast<storage::Executor*>(&loop)) return reads.Start(std::move(read));
    loop.Post([&reads, read = std::move(read)]() mutable { reads.Start(std::move(read)); });
  }

 private:
  EventLoops& loops_;
  std::vector<std::unique_ptr<LoopReads>> reads_;  // constant after construction
};

}  // namespace

std::unique_ptr<ReadService> ReadService::New(Shards& shards, Metrics& metrics, ReadOptions options) {
  return std::make_unique<ReadServiceImpl>(shards, metrics, options);
}

}  // namespace sluice::broker
