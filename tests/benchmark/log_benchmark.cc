// How fast the log is on a real disk, without network and broker: run it beside the bounds of the machine
// (write + fdatasync of the same size to a file that was written before, measured first).
//
//   log_benchmark DIR [section ...]    sections: inline shards burst sustained retention recovery restart
//
// Each line: what, the figure, p50/p99/p99.9 of the commits. Durability is `durable` everywhere: acknowledged after
// fdatasync.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "protocol/batch.h"
#include "storage/env/posix_env.h"
#include "storage/log_store.h"

namespace sluice::storage {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

/// A loop thread: spins on nothing, sleeps when idle.
class LoopThread final : public Executor {
 public:
  LoopThread() : thread_([this] { Run(); }) {}
  ~LoopThread() override {
    Post([this] { stopping_ = true; });
    thread_.join();
  }
  void Post(std::move_only_function<void()> task) override {
    const std::scoped_lock lock(mutex_);
    tasks_.push_back(std::move(task));
    if (idle_) posted_.notify_one();
  }
  /// Runs `task` on the loop and waits for it.
  void Call(const std::function<void()>& task) {
    std::mutex mutex;
    std::condition_variable done;
    bool ran = false;
    Post([&] {
      task();
      const std::scoped_lock lock(mutex);
      ran = true;
      done.notify_one();
    });
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return ran; });
  }

 private:
  void Run() {
    std::deque<std::move_only_function<void()>> now;
    while (!stopping_) {
      {
        std::unique_lock lock(mutex_);
        idle_ = true;
        posted_.wait(lock, [&] { return !tasks_.empty(); });
        idle_ = false;
        now.swap(tasks_);
      }
      for (auto& task : now) task();
      now.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  bool idle_ = false;
  bool stopping_ = false;
  std::deque<std::move_only_function<void()>> tasks_;
  std::thread thread_;
};

class Latencies {
 public:
  void Add(double us) { us_.push_back(us); }
  std::string Text() {
    if (us_.empty()) return "-";
    std::ranges::sort(us_);
    const auto at = [&](double q) {
      return us_[std::min(us_.size() - 1, static_cast<std::size_t>(q * static_cast<double>(us_.size())))];
    };
    return fmt::format("p50 {:.0f} p99 {:.0f} p99.9 {:.0f} max {:.0f} us", at(0.5), at(0.99), at(0.999), us_.back());
  }

 private:
  std::vector<double> us_;
};

/// `bytes` that do not compress.
std::string RandomBytes(std::size_t bytes) {
  std::mt19937_64 random(42);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string BatchBytes(std::size_t bytes) {
  protocol::BatchBuilder builder;
  const std::string value = RandomBytes(std::min<std::size_t>(bytes, 1024));
  for (std::size_t done = 0; done < bytes; done += value.size()) builder.Add(1'700'000'000'000, "key", value);
  std::string batch;
  builder.Finish(batch);
  return batch;
}

struct Load {
  std::size_t shards = 1;
  std::size_t batch_bytes = 1024;
  std::size_t in_flight = 1;
  double seconds = 5;
  std::uint64_t bytes_per_second = 0;  // 0: as fast as it goes
  AckMode ack = AckMode::kDurable;
};

/// Keeps `in_flight` appends under way on one loop.
class Driver {
 public:
  Driver(LogStore& store, LoopThread& loop, const Load& load)
      : store_(store), loop_(loop), load_(load), batch_(BatchBytes(load.batch_bytes)) {
    header_ = *protocol::VerifyBatch(batch_);
    loop_.Call([&] { writer_ = store_.NewWriter(loop_); });
    for (std::size_t i = 0; i < load.shards; ++i) {
      shards_.push_back(store.OpenShard({StreamId(1), ShardIndex(static_cast<std::uint32_t>(i))}));
    }
  }
  ~Driver() {
    loop_.Call([&] { writer_.reset(); });
  }

  void Run(const std::string& name) {
    begun_ = Clock::now();
    loop_.Post([this] {
      for (std::size_t i = 0; i < load_.in_flight; ++i) Start();
    });
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return under_way_ == 0 && stopped_; });
    const double seconds = Seconds(begun_);
    fmt::print("{:<44} {:>9.0f} appends/s {:>8.1f} MB/s  {}\n", name, static_cast<double>(appends_) / seconds,
               static_cast<double>(appends_ * batch_.size()) / 1e6 / seconds, latencies_.Text());
    std::fflush(stdout);
  }

 private:
  void Start() {
    ++under_way_;
    if (store_.overloaded()) {
      ++waits_;
      store_.WhenReady(loop_, [this] {
        --under_way_;
        Next();
      });
      return;
    }
    protocol::FrameBuffer buffer(batch_.size());
    batch_.copy(buffer.batch().data(), batch_.size());
    const auto begun = Clock::now();
    writer_->Append(*shards_[next_++ % shards_.size()], std::move(buffer), header_, load_.ack,
                    [this, begun](const Result<Appended>& answer) {
                      if (!answer) {
                        fmt::print("append failed: {}\n", answer.error().ToString());
                        std::exit(1);
                      }
                      latencies_.Add(Seconds(begun) * 1e6);
                      ++appends_;
                      --under_way_;
                      Next();
                    });
  }
  void Next() {
    const double now = Seconds(begun_);
    if (now >= load_.seconds) {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
      if (under_way_ == 0) finished_.notify_one();
      return;
    }
    if (load_.bytes_per_second > 0) {
      const double due = static_cast<double>(appends_ * batch_.size()) / static_cast<double>(load_.bytes_per_second);
      if (due > now) std::this_thread::sleep_for(std::chrono::duration<double>(due - now));
    }
    Start();
  }

  LogStore& store_;
  LoopThread& loop_;
  const Load load_;
  const std::string batch_;
  protocol::BatchHeader header_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<std::shared_ptr<ShardLog>> shards_;
  Clock::time_point begun_;
  Latencies latencies_;
  std::size_t next_ = 0;
  std::uint64_t appends_ = 0;
  std::uint64_t waits_ = 0;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::size_t under_way_ = 0;
  bool stopped_ = false;
};

class Benchmark {
 public:
  explicit Benchmark(std::string dir) : dir_(std::move(dir)), env_(NewPosixEnv()) {}

  void Run(const std::set<std::string>& sections) {
    const auto wants = [&](const std::string& name) { return sections.empty() || sections.contains(name); };
    if (wants("bound")) Bound();
    if (wants("inline")) Simple("1 KiB, 1 in flight", {.batch_bytes = 1024});
    if (wants("shards"))
      Simple("64 shards x 4 KiB, 64 in flight", {.shards = 64, .batch_bytes = 4096, .in_flight = 64});
    if (wants("deep")) Simple("1 KiB, 1,024 in flight", {.shards = 64, .batch_bytes = 1024, .in_flight = 1024});
    if (wants("burst"))
      Simple("64 KiB x 32 in flight, 2 s", {.shards = 64, .batch_bytes = 65536, .in_flight = 32, .seconds = 2});
    if (wants("written")) {
      Simple("written: 64 KiB x 32 in flight, 2 s",
             {.shards = 64, .batch_bytes = 65536, .in_flight = 32, .seconds = 2, .ack = AckMode::kWritten});
    }
    if (wants("sustained")) Sustained(20);
    if (wants("retention")) Retention();
    if (wants("recovery")) Recovery();
    if (wants("restart")) Restart();
  }

 private:
  std::unique_ptr<LogStore> Open(RecoveryReport* report = nullptr) {
    auto store = LogStore::Open(*env_, dir_, options_, report);
    if (!store) {
      fmt::print("cannot open {}: {}\n", dir_, store.error().ToString());
      std::exit(1);
    }
    return std::move(*store);
  }
  void Clear() { std::filesystem::remove_all(dir_); }

  void Bound() {
    std::filesystem::create_directories(dir_);
    const std::string path = dir_ + "/bound";
    for (const std::size_t bytes :
         {std::size_t{4096}, std::size_t{65536}, std::size_t{1} << 20, std::size_t{2} << 20}) {
      auto file = std::move(*env_->Open(path, OpenMode::kCreateOrOpen));
      const std::string data = RandomBytes(bytes);
      const std::uint64_t total = 256u << 20;
      for (std::uint64_t at = 0; at < total; at += bytes) (void)file->Write(at, data);
      (void)file->Sync();
      Latencies latencies;
      const auto begun = Clock::now();
      std::uint64_t at = 0;
      for (; at < total && Seconds(begun) < 2; at += bytes) {
        const auto each = Clock::now();
        (void)file->Write(at, data);
        (void)file->Sync();
        latencies.Add(Seconds(each) * 1e6);
      }
      fmt::print("bound: write + fdatasync of {:>4} KiB {:>30.1f} MB/s  {}\n", bytes / 1024,
                 static_cast<double>(at) / 1e6 / Seconds(begun), latencies.Text());
    }
    std::filesystem::remove(path);
  }

  /// All journal files exist before the clock starts: they are made once in the life of a directory.
  void WarmUp(LogStore& store, LoopThread& loop) {
    Driver driver(store, loop, {.shards = 64, .batch_bytes = 65536, .in_flight = 32, .seconds = 3});
    driver.Run("  (warm up)");
  }

  void Simple(const std::string& name, const Load& load) {
    Clear();
    auto store = Open();
    LoopThread loop;
    WarmUp(*store, loop);
    Driver(*store, loop, load).Run(name);
    (void)store->Close();
  }

  void Sustained(double seconds) {
    Clear();
    auto store = Open();
    LoopThread loop;
    std::atomic<bool> stop{false};
    std::thread retention([&] {
      while (!stop) {
        for (std::uint32_t i = 0; i < 64; ++i) {
          RetentionPolicy policy;
          policy.bytes_max = 64u << 20;
          store->ApplyRetention({StreamId(1), ShardIndex(i)}, policy);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
    Driver(*store, loop, {.shards = 64, .batch_bytes = 65536, .in_flight = 32, .seconds = seconds})
        .Run("sustained, fresh segments first");
    Driver(*store, loop, {.shards = 64, .batch_bytes = 65536, .in_flight = 32, .seconds = seconds})
        .Run("sustained, recycled segments");
    stop = true;
    retention.join();
    const LogStoreStats stats = store->stats();
    fmt::print("  checkpoints {} segments {} MiB\n", stats.checkpoints, stats.segment_bytes >> 20);
    (void)store->Close();
  }

  void Retention() {
    Clear();
    auto store = Open();
    LoopThread loop;
    WarmUp(*store, loop);
    std::atomic<bool> stop{false};
    std::thread retention([&] {
      while (!stop) {
        for (std::uint32_t i = 0; i < 64; ++i) {
          RetentionPolicy policy;
          policy.bytes_max = 1u << 20;
          store->ApplyRetention({StreamId(1), ShardIndex(i)}, policy);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
    Driver(*store, loop,
           {.shards = 4, .batch_bytes = 16384, .in_flight = 1, .seconds = 15, .bytes_per_second = 50'000'000})
        .Run("50 MB/s while retention runs");
    stop = true;
    retention.join();
    (void)store->Close();
  }

  void Recovery() {
    Clear();
    options_.checkpoint_interval_ms = 3'600'000;
    options_.journal_bytes_max = 4096u << 20;
    {
      auto store = Open();
      LoopThread loop;
      Driver(*store, loop, {.shards = 64, .batch_bytes = 16384, .in_flight = 64, .seconds = 1.0}).Run("  (fill)");
    }
    RecoveryReport report;
    const auto begun = Clock::now();
    auto store = Open(&report);
    const double seconds = Seconds(begun);
    const double gib = static_cast<double>(report.journal_bytes_scanned) / (1 << 30);
    fmt::print("recovery after a kill: {:.2f} GiB scanned, {} frames in {:.3f} s = {:.3f} s/GiB\n", gib,
               report.frames_replayed, seconds, seconds / gib);
    (void)store->Close();
    options_ = {};
  }

  void Restart() {
    Clear();
    options_.segment_bytes = 1u << 20;
    {
      auto store = Open();
      LoopThread loop;
      Driver(*store, loop, {.shards = 1000, .batch_bytes = 16384, .in_flight = 256, .seconds = 3})
          .Run("  (fill 1,000 shards)");
      (void)store->Close();
    }
    RecoveryReport report;
    const auto begun = Clock::now();
    auto store = Open(&report);
    fmt::print("restart, 1,000 shards, {} MiB in {} segments: clean {} {:.1f} ms\n", store->stats().segment_bytes >> 20,
               store->stats().segment_bytes >> 20, report.clean_shutdown, Seconds(begun) * 1e3);
    (void)store->Close();
    options_ = {};
  }

  const std::string dir_;
  const std::unique_ptr<Env> env_;
  LogStoreOptions options_;
};

}  // namespace
}  // namespace sluice::storage

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: log_benchmark DIR [section ...]\n");
    return 2;
  }
  sluice::storage::Benchmark(std::string(argv[1]) + "/log").Run({argv + 2, argv + argc});
  return 0;
}
