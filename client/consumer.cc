// The consumer: one reader per shard, drained in turn.
#include "sluice/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

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

}  // namespace

struct Consumer::Impl {
  explicit Impl(ConsumerOptions opts)
      : options(std::move(opts)), connection(std::make_shared<client::Connection>(io, options.client)) {}
  ~Impl();

  Status Start(std::string_view stream);
  Result<std::vector<ConsumedRecord>> Poll(std::chrono::milliseconds timeout);
  Result<client::ShardReader*> Find(std::uint32_t shard) const;
  std::vector<ConsumedRecord> Collect();
  Status FirstError();
  bool AllStopped() const;
  void WaitForNews(std::uint64_t seen, std::chrono::steady_clock::time_point deadline);

  const ConsumerOptions options;
  client::IoThread io;
  std::shared_ptr<client::Connection> connection;
  std::unique_ptr<client::ReaderContext> context;                         // constant after Start
  std::map<std::uint32_t, std::unique_ptr<client::ShardReader>> readers;  // constant after Start
  std::vector<client::ShardReader*> in_turn;                              // constant after Start
  std::size_t turn = 0;                                                   // whose records come first; the user's thread

  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t news_count = 0;  // guarded by mutex
};

Status Consumer::Impl::Start(std::string_view stream) {
  if (Status valid = Validate(options); !valid.ok()) return valid;
  const auto description = client::LookUp(*connection, stream);
  if (!description) return description.error();
  std::vector<std::uint32_t> shards = options.shards;
  if (shards.empty()) {
    for (const ShardDescription& shard : description->shards) shards.push_back(shard.shard);
  }
  context = std::make_unique<client::ReaderContext>(
      client::ReaderContext{.connection = *connection,
                            .stream = description->name,
                            .stream_id = StreamId(description->stream_id),
                            .fetch_bytes_max = FetchBytes(options, std::max<std::size_t>(shards.size(), 1)),
                            .fetch_wait = options.fetch_wait,
                            .news = [this] {
                              const std::lock_guard lock(mutex);
                              ++news_count;
                              changed.notify_all();
                            }});
  for (const std::uint32_t shard : shards) {
    const auto found = std::ranges::find(description->shards, shard, &ShardDescription::shard);
    if (found == description->shards.end()) {
      return {Code::kNotFound, protocol::NoSuchShard(description->name, shard, description->shards.size())};
    }
    // What is appended after Open is after the latest record, also where it comes before the first fetch.
    const bool latest = options.start.kind == Position::Kind::kLatest;
    const Position start = latest ? Position::AtOffset(found->end_offset) : options.start;
    const auto [reader, added] = readers.emplace(shard, std::make_unique<client::ShardReader>(*context, shard, start));
    if (added) in_turn.push_back(reader->second.get());
  }
  if (in_turn.empty()) return {Code::kCorruption, fmt::format("stream '{}' has no shards", description->name)};
  io.RunAndWait([this] {
    for (client::ShardReader* reader : in_turn) reader->Fetch();
  });
  return {};
}

Consumer::Impl::~Impl() {
  io.RunAndWait([this] {
    for (client::ShardReader* reader : in_turn) reader->Stop();
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
    if (!records.empty()) return records;
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

Status Consumer::Impl::FirstError() {
  for (client::ShardReader* reader : in_turn) {
    if (Status error = reader->TakeError(); !error.ok()) return error;
  }
  return {};
}

bool Consumer::Impl::AllStopped() const {
  return std::ranges::all_of(in_turn, [](const client::ShardReader* reader) { return reader->stopped(); });
}

void Consumer::Impl::WaitForNews(std::uint64_t seen, std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex);
  changed.wait_until(lock, deadline, [&] { return news_count != seen; });
}

Result<client::ShardReader*> Consumer::Impl::Find(std::uint32_t shard) const {
  const auto found = readers.find(shard);
  if (found != readers.end()) return found->second.get();
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
  for (const auto& [shard, reader] : impl_->readers) progress.push_back(reader->progress());
  return progress;
}

}  // namespace sluice
