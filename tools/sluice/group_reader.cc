// Poll, print, commit.
#include "tools/sluice/group_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "sluice/group_consumer.h"
#include "tools/sluice/interrupt.h"

namespace sluice::tools {
namespace {

constexpr auto kPollTimeout = std::chrono::milliseconds(250);  // also how soon Ctrl-C is heard

using Ends = std::map<std::uint32_t, std::uint64_t>;

Result<Ends> EndsOf(AdminClient& client, const std::string& stream) {
  const auto description = client.DescribeStream(stream);
  if (!description) return Error(description.error());
  Ends ends;
  for (const auto* shards : {&description->shards, &description->closed_shards}) {
    for (const ShardDescription& shard : *shards) ends[shard.shard] = shard.end_offset;
  }
  return ends;
}

/// Whether the group has processed what there was, by whichever member.
Result<bool> Reached(AdminClient& client, const GroupRead& read, const Ends& ends) {
  const auto group = client.DescribeGroup(read.stream, read.group);
  if (!group) return Error(group.error());
  return std::ranges::all_of(group->shards, [&](const GroupShard& shard) {
    const auto end = ends.find(shard.shard);
    return end == ends.end() || shard.next_offset >= end->second;
  });
}

/// False where the reader of the output has left.
bool Write(const std::string& out) {
  if (std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0) return true;
  if (errno == EPIPE) std::clearerr(stdout);
  return false;
}

/// Commits the records; a shard that was lost meanwhile is another's business.
Status CommitRecords(GroupConsumer& consumer, const std::vector<ConsumedRecord>& records) {
  Ends next;
  for (const ConsumedRecord& record : records) next[record.shard] = record.offset + 1;
  for (const auto& [shard, offset] : next) {
    const Status committed = consumer.Commit(shard, offset);
    if (!committed.ok() && committed.code() != Code::kFenced) return committed;
  }
  return {};
}

Status Print(GroupConsumer& consumer, AdminClient& client, const GroupRead& read, const Ends& ends) {
  std::uint64_t printed = 0;
  std::string out;
  while (!Interrupted()) {
    auto records = consumer.Poll(kPollTimeout);
    if (!records) return records.error();
    // What is not printed is not committed, and stays for others.
    if (read.limit != 0) records->resize(std::min<std::uint64_t>(records->size(), read.limit - printed));
    out.clear();
    for (const ConsumedRecord& record : *records) AppendRecord(record, read.format, read.meta, out);
    if (!Write(out)) return {};
    if (Status committed = CommitRecords(consumer, *records); !committed.ok()) return committed;
    printed += records->size();
    if (read.limit != 0 && printed >= read.limit) return {};
    if (read.follow || !records->empty()) continue;
    const auto reached = Reached(client, read, ends);
    if (!reached) return reached.error();
    if (*reached) return {};
  }
  return {};
}

}  // namespace

bool ReadAsMember(Context& context, const GroupRead& read) {
  auto client = context.Connect();
  if (!client) return false;
  const auto ends = EndsOf(*client, read.stream);
  if (!ends) return context.Fail(ends.error());
  GroupConsumerOptions options;
  options.client = context.client_options();
  options.member_name = fmt::format("{}-{}", options.client.client_name, ::getpid());
  options.start = read.start;
  options.auto_commit = false;
  if (read.limit != 0) {
    options.poll_records_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(read.limit, options.poll_records_max));
  }
  auto consumer = GroupConsumer::Join(read.stream, read.group, options);
  if (!consumer) return context.Fail(consumer.error());
  NoteInterrupts();
  std::signal(SIGPIPE, SIG_IGN);
  if (Status status = Print(**consumer, *client, read, *ends); !status.ok()) return context.Fail(status);
  if (Interrupted() && !read.follow) context.exit_code = kExitInterrupted;
  return true;
}

}  // namespace sluice::tools
