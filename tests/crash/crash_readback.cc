// Writes every record of a stream to standard output, one line each (check_history.py has the format).
//
//   crash_readback ADDRESS STREAM            once, up to the end that the stream has at the start
//   crash_readback ADDRESS STREAM --shard S  only that shard
//   crash_readback ADDRESS STREAM --follow   what a reader is shown, until SIGTERM; waits for a broker that goes away
//
// Exit code 1 where the stream, or the shard, cannot be read whole.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
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

using OneShard = std::optional<std::uint32_t>;  // none: all of them

Result<std::map<std::uint32_t, std::uint64_t>> EndsOf(const std::string& address, const std::string& stream,
                                                      OneShard only) {
  auto admin = AdminClient::Connect(Options(address).client);
  if (!admin.has_value()) return Error(admin.error());
  auto description = (*admin)->DescribeStream(stream);
  if (!description.has_value()) return Error(description.error());
  std::map<std::uint32_t, std::uint64_t> ends;
  for (const ShardDescription& shard : description->shards) {
    if (shard.end_offset > 0 && shard.shard == only.value_or(shard.shard)) ends[shard.shard] = shard.end_offset;
  }
  return ends;
}

int ReadOnce(const std::string& address, const std::string& stream, OneShard only) {
  auto ends = EndsOf(address, stream, only);
  if (!ends.has_value()) return Fail(ends.error());
  ConsumerOptions options = Options(address);
  if (only.has_value()) options.shards = {*only};
  auto consumer = Consumer::Open(stream, options);
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
  const std::string_view option = argc > 3 ? argv[3] : "";
  if (argc == 4 && option == "--follow") Follow(argv[1], argv[2]);
  if (argc == 3) return ReadOnce(argv[1], argv[2], std::nullopt);
  if (argc == 5 && option == "--shard")
    return ReadOnce(argv[1], argv[2], static_cast<std::uint32_t>(std::atoi(argv[4])));
  std::fprintf(stderr, "usage: crash_readback ADDRESS STREAM [--follow | --shard S]\n");
  return 2;
}
