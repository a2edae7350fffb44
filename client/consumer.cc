// The consumer: one reader per shard, drained in turn. Where it reads all shards of the stream it goes on with the
// children of a shard once all of their parents are finished.
#include "sluice/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "client/shard_reader.h"
#include "client/stream_lookup.h"
#include "protocol/suggest.h"

namespace sluice {
namespace {

constexpr std::uint64_t kFetchBytesMin = 64u << 10;

Status Validate(const ConsumerOptions& options) {
  const auto invalid = [](std::string text) { return Status(Code::kInvalidArgument, std::move(text)); };
  if (options.fetch_bytes_max == 0) return invalid("fetch_bytes_max is 0");
  if (options.poll_records_max == 0) return invalid("poll_records_max is 0");
  if (options.fetch_wait.count() < 0 || options.fetch_wait > std::chrono::hours(1)) {
    return invalid("fetch_wait is not within 0 to one hour");
  }
  return {};
}

// Each shard may hold two answers: one that is being read and one ahead of it.
std::uint64_t FetchBytes(const ConsumerOptions& options, std::size_t shards) {
  return std::min(options.fetch_bytes_max, std::max(kFetchBytesMin, options.buffer_bytes_max / (2 * shards)));
}

// How many shards the stream has had, those included that it has forgotten.
std::size_t NumbersGiven(const StreamDescription& stream) {
  std::size_t numbers = 0;
  for (const ShardDescription& shard : stream.shards) numbers = std::max<std::size_t>(numbers, shard.shard + 1);
  return numbers;
}

// One shard of the consumer's.
struct Reading {
  std::unique_ptr<client::ShardReader> reader;
  std::vector<std::uint32_t> parents;  // those that are read to their end first
  bool started = false;
  bool followed = false;  // finished, and its children are known
};

}  // namespace

struct Consumer::Impl {
  explicit Impl(ConsumerOptions opts)
      : options(std::move(opts)),
        connection(std::make_shared<client::Connection>(io, options.client)),
        refresher(*connection, [this](Result<StreamDescription> now) {
          refresher.Succeeded();
          const std::lock_guard lock(mutex);
          refreshed = std::move(now);
          ++news_count;
          changed.notify_all();
        }) {}
  ~Impl();

  Status Start(std::string_view stream);
  Status StartAll(const StreamDescription& stream);
  Status StartChosen(const StreamDescription& stream);
  void Add(const ShardDescription& shard, Position start);
  Result<std::vector<ConsumedRecord>> Poll(std::chrono::milliseconds timeout);
  Result<client::ShardReader*> Find(std::uint32_t shard) const;
  std::vector<ConsumedRecord> Collect();
  Status Follow();
  Status TakeChildren();
  void StartDue();
  bool Finished(std::uint32_t shard) const;
  Status FirstError();
  bool AllStopped() const;
  void WaitForNews(std::uint64_t seen, std::chrono::steady_clock::time_point deadline);

  const ConsumerOptions options;
  client::IoThread io;
  std::shared_ptr<client::Connection> connection;
  std::unique_ptr<client::ReaderContext> context;  // constant after Start, but for fetch_bytes_max

  // The user's thread:
  std::map<std::uint32_t, Reading> readings;  // every shard ever read
  std::vector<client::ShardReader*> in_turn;  // those that are read now
  std::size_t turn = 0;                       // whose records come first
  std::int64_t newest_shard = -1;             // shards above it are new
  bool refreshing = false;
  std::vector<std::uint32_t> to_follow;  // finished when the refresh was asked for

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news_count = 0;                        // guarded by mutex
  std::optional<Result<StreamDescription>> refreshed;  // guarded by mutex; the answer to a refresh

  client::StreamRefresher refresher;  // the client's own thread
};

Status Consumer::Impl::Start(std::string_view stream) {
  if (Status valid = Validate(options); !valid.ok()) return valid;
  const auto description = client::LookUp(*connection, stream);
  if (!description) return description.error();
  context.reset(new client::ReaderContext{.connection = *connection,
                                          .stream = description->name,
                                          .stream_id = StreamId(description->stream_id),
                                          .follows = options.shards.empty(),
                                          .fetch_bytes_max = options.fetch_bytes_max,
                                          .fetch_wait = options.fetch_wait,
                                          .news = [this] {
                                            const std::lock_guard lock(mutex);
                                            ++news_count;
                                            changed.notify_all();
                                          }});
  refresher.SetStream(description->name, description->stream_id);
  if (Status added = context->follows ? StartAll(*description) : StartChosen(*description); !added.ok()) return added;
  StartDue();
  return {};
}

Status Consumer::Impl::StartAll(const StreamDescription& stream) {
  if (stream.shards.empty()) return {Code::kCorruption, fmt::format("stream '{}' has no shards", stream.name)};
  // An offset means the shards that are open: those before them are over.
  const Position::Kind kind = options.start.kind;
  const bool closed_too = kind == Position::Kind::kOldest || kind == Position::Kind::kTime;
  for (const ShardDescription& shard : stream.closed_shards) {
    newest_shard = std::max<std::int64_t>(newest_shard, shard.shard);
    if (closed_too) Add(shard, options.start);
  }
  for (const ShardDescription& shard : stream.shards) {
    newest_shard = std::max<std::int64_t>(newest_shard, shard.shard);
    Add(shard, options.start);
  }
  // Their children are in this description.
  for (const ShardDescription& shard : stream.closed_shards) {
    if (closed_too) readings.at(shard.shard).followed = true;
  }
  return {};
}

Status Consumer::Impl::StartChosen(const StreamDescription& stream) {
  for (const std::uint32_t shard : options.shards) {
    const auto open = std::ranges::find(stream.shards, shard, &ShardDescription::shard);
    const auto closed = std::ranges::find(stream.closed_shards, shard, &ShardDescription::shard);
    if (open == stream.shards.end() && closed == stream.closed_shards.end()) {
      return {Code::kNotFound, protocol::NoSuchShard(stream.name, shard, NumbersGiven(stream))};
    }
    Add(open == stream.shards.end() ? *closed : *open, options.start);
  }
  return {};
}

void Consumer::Impl::Add(const ShardDescription& shard, Position start) {
  // What is appended after Open is after the latest record, also where it comes before the first fetch.
  if (start.kind == Position::Kind::kLatest) start = Position::AtOffset(shard.end_offset);
  Reading& reading = readings[shard.shard];
  if (reading.reader) return;
  reading.reader = std::make_unique<client::ShardReader>(*context, shard.shard, start);
  if (!context->follows) return;
  if (shard.parent) reading.parents.push_back(*shard.parent);
  if (shard.adjacent_parent) reading.parents.push_back(*shard.adjacent_parent);
}

Consumer::Impl::~Impl() {
  io.RunAndWait([this] {
    refresher.Stop();
    for (auto& [shard, reading] : readings) reading.reader->Stop();
    connection->Close();
  });
  io.Stop();
}

Result<std::vector<ConsumedRecord>> Consumer::Impl::Poll(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    std::uint64_t seen = 0;
    {
      const std::lock_guard lock(mutex);
      seen = news_count;
    }
    // Before the records: other shards may have some at any time.
    if (Status error = FirstError(); !error.ok()) return Error(std::move(error));
    std::vector<ConsumedRecord> records = Collect();
    const Status followed = Follow();
    if (!records.empty()) return records;
    if (!followed.ok()) return Error(followed);
    if (Status error = FirstError(); !error.ok()) return Error(std::move(error));
    if (AllStopped()) {
      return Error(Code::kFailedPrecondition, fmt::format("reading of all shards of stream '{}' has ended on an error; "
                                                          "Seek to go on",
                                                          context->stream));
    }
    if (std::chrono::steady_clock::now() >= deadline) return records;
    WaitForNews(seen, deadline);
  }
}

// Each round gives every shard an equal share of what is still wanted, until that is there or no shard has more.
std::vector<ConsumedRecord> Consumer::Impl::Collect() {
  std::vector<ConsumedRecord> records;
  if (in_turn.empty()) return records;
  bool more = true;
  while (more && records.size() < options.poll_records_max) {
    const std::size_t before = records.size();
    const auto share =
        static_cast<std::uint32_t>(std::max<std::size_t>(1, (options.poll_records_max - before) / in_turn.size()));
    for (std::size_t i = 0; i < in_turn.size() && records.size() < options.poll_records_max; ++i) {
      in_turn[(turn + i) % in_turn.size()]->Take(share, records);
    }
    more = records.size() > before;
  }
  turn = (turn + 1) % in_turn.size();
  return records;
}

// Goes on with the children of shards that are finished. An error says why their children are not known; it is tried
// again with the next Poll.
Status Consumer::Impl::Follow() {
  if (Status taken = TakeChildren(); !taken.ok()) return taken;
  const auto finished = [](const client::ShardReader* reader) { return reader->finished(); };
  if (!context->follows || std::ranges::none_of(in_turn, finished)) return {};
  if (!refreshing) {
    to_follow.clear();
    for (const auto& [shard, reading] : readings) {
      if (reading.reader->finished() && !reading.followed) to_follow.push_back(shard);
    }
    refreshing = !to_follow.empty();
    if (refreshing) io.Post([this] { refresher.Refresh(); });
  }
  StartDue();
  return {};
}

Status Consumer::Impl::TakeChildren() {
  std::optional<Result<StreamDescription>> now;
  {
    const std::lock_guard lock(mutex);
    now.swap(refreshed);
  }
  if (!now) return {};
  refreshing = false;
  if (!*now) return now->error();
  std::vector<ShardDescription> all = (*now)->closed_shards;
  all.insert(all.end(), (*now)->shards.begin(), (*now)->shards.end());
  std::int64_t newest = newest_shard;
  for (const ShardDescription& shard : all) {
    if (shard.shard <= newest_shard) continue;
    newest = std::max<std::int64_t>(newest, shard.shard);
    Add(shard, Position::Oldest());
  }
  newest_shard = newest;
  for (const std::uint32_t shard : to_follow) readings.at(shard).followed = true;
  StartDue();
  return {};
}

// Starts what waits for nothing any more, and leaves out what is finished.
void Consumer::Impl::StartDue() {
  in_turn.clear();
  for (auto& [shard, reading] : readings) {
    const auto over = [this](std::uint32_t parent) { return Finished(parent); };
    if (!reading.started && !std::ranges::all_of(reading.parents, over)) continue;
    reading.started = true;
    if (!reading.reader->finished() || !reading.followed) in_turn.push_back(reading.reader.get());
  }
  context->fetch_bytes_max = FetchBytes(options, std::max<std::size_t>(in_turn.size(), 1));
  for (client::ShardReader* reader : in_turn) reader->Start();
}

// Shards that are not read at all need not be waited for.
bool Consumer::Impl::Finished(std::uint32_t shard) const {
  const auto found = readings.find(shard);
  return found == readings.end() || found->second.reader->finished();
}

Status Consumer::Impl::FirstError() {
  for (client::ShardReader* reader : in_turn) {
    if (Status error = reader->TakeError(); !error.ok()) return error;
  }
  return {};
}

bool Consumer::Impl::AllStopped() const {
  return !refreshing && !in_turn.empty() &&
         std::ranges::all_of(in_turn, [](const client::ShardReader* reader) { return reader->stopped(); });
}

void Consumer::Impl::WaitForNews(std::uint64_t seen, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex);
  changed.wait_until(lock, deadline, [&] { return news_count != seen; });
}

Result<client::ShardReader*> Consumer::Impl::Find(std::uint32_t shard) const {
  const auto found = readings.find(shard);
  if (found != readings.end()) return found->second.reader.get();
  return Error(Code::kNotFound,
               fmt::format("this consumer does not read a shard {} of stream '{}'", shard, context->stream));
}

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::~Consumer() = default;

Result<std::unique_ptr<Consumer>> Consumer::Open(std::string_view stream, ConsumerOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (Status started = impl->Start(stream); !started.ok()) return Error(std::move(started));
  return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

Result<std::vector<ConsumedRecord>> Consumer::Poll(std::chrono::milliseconds timeout) { return impl_->Poll(timeout); }

Status Consumer::Seek(std::uint32_t shard, Position position) {
  const auto reader = impl_->Find(shard);
  if (!reader) return reader.error();
  (*reader)->Seek(position);
  impl_->StartDue();
  return {};
}

Status Consumer::Pause(std::uint32_t shard) {
  const auto reader = impl_->Find(shard);
  if (!reader) return reader.error();
  (*reader)->Pause(true);
  return {};
}

Status Consumer::Resume(std::uint32_t shard) {
  const auto reader = impl_->Find(shard);
  if (!reader) return reader.error();
  (*reader)->Pause(false);
  return {};
}

std::vector<ShardProgress> Consumer::progress() const {
  std::vector<ShardProgress> progress;
  for (const auto& [shard, reading] : impl_->readings) progress.push_back(reading.reader->progress());
  return progress;
}

}  // namespace sluice
