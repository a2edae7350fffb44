// Writes every record of a stream to standard output, one line each (check_history.py has the format).
//
//   crash_readback ADDRESS STREAM            once, up to the end that the stream has at the start
//   crash_readback ADDRESS STREAM --follow   what a reader is shown, until SIGTERM; a broker that goes away is waited
//   for
//
// Exit code 1 where the stream cannot be read whole.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "sluice/admin.h"
#include "sluice/consumer.h"
#include "tests/crash/payload.h"

namespace sluice::crash {
namespace {

int Fail(const Status& status) {
  std::fprintf(stderr, "crash_readback: %s\n", status.ToString().c_str());
  return 1;
}

/// One line, whole or not at all.
void Print(const ConsumedRecord& record) {
  std::printf("%u %llu %s %zu %s\n", record.shard, static_cast<unsigned long long>(record.offset),
              Hex(record.key.value_or("")).c_str(), record.value.size(), Md5Hex(record.value).c_str());
}

ConsumerOptions Options(const std::string& address) {
  ConsumerOptions options;
  options.client.address = address;
  options.client.client_name = "crash_readback";
  options.fetch_wait = std::chrono::milliseconds(200);
  return options;
}

Result<std::map<std::uint32_t, std::uint64_t>> EndsOf(const std::string& address, const std::string& stream) {
  auto admin = AdminClient::Connect(Options(address).client);
  if (!admin.has_value()) return Error(admin.error());
  auto description = (*admin)->DescribeStream(stream);
  if (!description.has_value()) return Error(description.error());
  std::map<std::uint32_t, std::uint64_t> ends;
  for (const ShardDescription& shard : description->shards) {
    if (shard.end_offset > 0) ends[shard.shard] = shard.end_offset;
  }
  return ends;
}

int ReadOnce(const std::string& address, const std::string& stream) {
  auto ends = EndsOf(address, stream);
  if (!ends.has_value()) return Fail(ends.error());
  auto consumer = Consumer::Open(stream, Options(address));
  if (!consumer.has_value()) return Fail(consumer.error());
  while (!ends->empty()) {
    const auto records = (*consumer)->Poll(std::chrono::seconds(10));
    if (!records.has_value()) return Fail(records.error());
    if (records->empty()) return Fail(Status(Code::kTimedOut, "no record for 10 s, and the end is not reached"));
    for (const ConsumedRecord& record : *records) {
      Print(record);
      const auto end = ends->find(record.shard);
      if (end != ends->end() && record.offset + 1 >= end->second) ends->erase(end);
    }
  }
  return 0;
}

[[noreturn]] void Follow(const std::string& address, const std::string& stream) {
  while (true) {
    auto consumer = Consumer::Open(stream, Options(address));
    while (consumer.has_value()) {
      const auto records = (*consumer)->Poll(std::chrono::milliseconds(200));
      if (!records.has_value()) break;
      for (const ConsumedRecord& record : *records) Print(record);
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace
}  // namespace sluice::crash

int main(int argc, char** argv) {
  using namespace sluice::crash;
  const bool follow = argc == 4 && std::string_view(argv[3]) == "--follow";
  if (argc != 3 && !follow) {
    std::fprintf(stderr, "usage: crash_readback ADDRESS STREAM [--follow]\n");
    return 2;
  }
  if (follow) Follow(argv[1], argv[2]);
  return ReadOnce(argv[1], argv[2]);
}
