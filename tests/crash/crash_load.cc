// Producers that note what they do, for the crash tests: each sends records to random shards until SIGTERM, and writes
// one history file (check_history.py has the format) with an entry before every record is sent and one when its fate is
// known.
//
//   crash_load ADDRESS STREAM SHARDS PRODUCERS durable|written NAME DIR
//
// Producer k of NAME is "NAME-k", its file DIR/NAME-k.history. An entry is one write to one page of the file, so that
// killing this program tears none. It never waits for answers at the end: what has none is unknown.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "protocol/check.h"
#include "sluice/producer.h"
#include "tests/crash/payload.h"

namespace sluice::crash {
namespace {

constexpr std::size_t kEntryBytes = 128;        // a page is a multiple of it
constexpr std::ptrdiff_t kUnansweredMax = 512;  // records of one producer
constexpr auto kReopenPause = std::chrono::milliseconds(20);
constexpr auto kFailurePause = std::chrono::milliseconds(5);  // a broker that takes nothing any more answers at once

std::atomic<bool> stopping = false;

std::int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Arguments {
  std::string address;
  std::string stream;
  std::uint32_t shards = 0;
  int producers = 0;
  Ack ack = Ack::kDurable;
  std::string name;
  std::string dir;
};

class History {
 public:
  History(const std::string& path, const std::string& producer)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)) {
    if (fd_ < 0) {
      std::perror(("crash_load: " + path).c_str());
      std::exit(2);
    }
    Add("producer " + producer);
  }
  void Sending(std::uint64_t sequence, std::uint32_t shard) {
    Add("i " + std::to_string(sequence) + " " + std::to_string(shard) + " " + std::to_string(NowNs()));
  }
  void Fate(std::uint64_t sequence, const DeliveryReport& report) {
    const std::string number = std::to_string(sequence);
    if (report.status.ok()) {
      Add("o " + number + " " + std::to_string(report.shard) + " " + std::to_string(report.offset) + " " +
          std::to_string(NowNs()));
    } else {
      // Only these say that no attempt can have been stored.
      const bool refused = report.status.code() == Code::kInvalidArgument || report.status.code() == Code::kNotFound;
      Add((refused ? "f " : "u ") + number);
    }
  }

 private:
  void Add(const std::string& line) {
    std::string text = line;
    SLUICE_CHECK(text.size() < kEntryBytes);
    text.resize(kEntryBytes - 1, ' ');
    text += '\n';
    SLUICE_CHECK(::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  const int fd_;  // for as long as the process lives
};

std::unique_ptr<Producer> OpenWhenItAnswers(const Arguments& arguments) {
  ProducerOptions options;
  options.client.address = arguments.address;
  options.client.client_name = "crash_load";
  options.ack = arguments.ack;
  while (!stopping) {
    auto producer = Producer::Open(arguments.stream, options);
    if (producer.has_value()) return std::move(*producer);
    if (!producer.error().retriable()) {
      std::fprintf(stderr, "crash_load: %s\n", producer.error().ToString().c_str());
      std::exit(1);
    }
    std::this_thread::sleep_for(kReopenPause);
  }
  return nullptr;
}

void RunProducer(const Arguments& arguments, int number) {
  const std::string name = arguments.name + "-" + std::to_string(number);
  History history(arguments.dir + "/" + name + ".history", name);
  std::counting_semaphore<kUnansweredMax> room(kUnansweredMax);
  std::atomic<bool> failing = false;
  const std::unique_ptr<Producer> producer = OpenWhenItAnswers(arguments);
  for (std::uint64_t sequence = 0; !stopping; ++sequence) {
    // The first bytes of the payload are as good as random, and the same in every run of the same name.
    const std::string payload = Payload(name, sequence);
    const std::uint32_t shard = static_cast<unsigned char>(payload[0]) % arguments.shards;
    while (!room.try_acquire_for(std::chrono::milliseconds(50))) {
      if (stopping) break;
    }
    if (failing) std::this_thread::sleep_for(kFailurePause);
    if (stopping) break;
    history.Sending(sequence, shard);
    const auto report = [&history, &room, &failing, sequence](const DeliveryReport& fate) {
      history.Fate(sequence, fate);
      failing = !fate.status.ok();
      room.release();
    };
    const Status taken = producer->SendToShard(shard, RecordKey(name, sequence), payload, report);
    if (!taken.ok()) report({.status = Status(Code::kInvalidArgument, "not taken")});
  }
  // The reports that still come would write to a history that is complete without them: the process ends first.
  while (true) ::pause();
}

Arguments Parse(char** argv) {
  Arguments arguments;
  arguments.address = argv[1];
  arguments.stream = argv[2];
  arguments.shards = static_cast<std::uint32_t>(std::atoi(argv[3]));
  arguments.producers = std::atoi(argv[4]);
  arguments.ack = std::string_view(argv[5]) == "written" ? Ack::kWritten : Ack::kDurable;
  arguments.name = argv[6];
  arguments.dir = argv[7];
  return arguments;
}

}  // namespace
}  // namespace sluice::crash

int main(int argc, char** argv) {
  using namespace sluice::crash;
  if (argc != 8) {
    std::fprintf(stderr, "usage: crash_load ADDRESS STREAM SHARDS PRODUCERS durable|written NAME DIR\n");
    return 2;
  }
  sigset_t end_signals;
  sigemptyset(&end_signals);
  sigaddset(&end_signals, SIGTERM);
  sigaddset(&end_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);
  const Arguments arguments = Parse(argv);
  for (int k = 0; k < arguments.producers; ++k) std::thread(RunProducer, arguments, k).detach();
  int signal = 0;
  sigwait(&end_signals, &signal);
  stopping = true;
  ::_exit(0);
}
