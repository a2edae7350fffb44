// Batches that carry their identity with them, and one try of each.
#include "sluice/resumable_producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <optional>
#include <utility>

#include "client/producer_identity.h"
#include "client/stream_lookup.h"
#include "protocol/batch.h"
#include "protocol/native/data_messages.h"

namespace sluice {
namespace {

constexpr std::size_t kRecordOverheadMax = 36;  // of a record without headers, beside key and value
constexpr std::size_t kBatchesPerShardMax = 5;  // what the broker remembers

/// The batches of one shard that are to be sent one after another.
struct ShardQueue {
  std::deque<std::size_t> batches;  // indexes
};

}  // namespace

struct ResumableProducer::Impl {
  explicit Impl(ResumableProducerOptions opts)
      : options(std::move(opts)), connection(std::make_shared<client::Connection>(io, options.client)) {}
  ~Impl() {
    io.RunAndWait([this] { connection->Close(); });
    io.Stop();
  }

  Status Refresh();
  Result<std::vector<PreparedBatch>> Prepare(std::span<const ResumableRecord> records);
  void PrepareShard(std::uint32_t shard, const std::vector<const ResumableRecord*>& records, std::int32_t& sequence,
                    std::vector<PreparedBatch>& batches) const;
  std::vector<Status> Send(std::span<const PreparedBatch> batches);

  std::uint64_t batch_bytes_max() const { return std::min(options.batch_bytes_max, limits.batch_bytes_max); }

  // One call of Send; on the client's own thread while it is under way.
  struct Sending {
    std::span<const PreparedBatch> batches;
    std::vector<Status> outcomes;
    std::map<std::pair<std::uint32_t, std::uint32_t>, ShardQueue> queues;  // by stream and shard
    std::size_t busy = 0;                                                  // queues that are not finished
    std::shared_ptr<std::promise<void>> done = std::make_shared<std::promise<void>>();
  };
  void SendNext(Sending& sending, ShardQueue& queue);
  static Status OutcomeOf(const Result<client::Answer>& answer);

  const ResumableProducerOptions options;
  client::IoThread io;
  std::shared_ptr<client::Connection> connection;
  std::string stream_name;
  StreamDescription stream;
  protocol::ShardMap map;
  client::ProducerIdentity identity;
  std::map<std::uint32_t, std::int32_t> next_sequence;  // by shard, of this identity
  client::BrokerLimits limits;
  std::size_t prepared = 0;  // calls of Prepare
};

Status ResumableProducer::Impl::Refresh() {
  auto description = client::LookUp(*connection, stream_name);
  if (!description) return description.error();
  auto ranges = client::ShardMapOf(*description);
  if (!ranges) return ranges.error();
  ProducerOptions nameless;
  nameless.client = options.client;
  const auto granted = client::ReadIdentity(connection->CallAndWait(client::InitProducerCall(nameless)), 1);
  if (!granted) return granted.error();
  stream = std::move(*description);
  map = std::move(*ranges);
  identity = *granted;
  next_sequence.clear();
  io.RunAndWait([this] { limits = connection->limits(); });
  return {};
}

Result<std::vector<PreparedBatch>> ResumableProducer::Impl::Prepare(std::span<const ResumableRecord> records) {
  const std::uint32_t keyless = map.ranges()[prepared++ % map.ranges().size()].shard.value;
  std::map<std::uint32_t, std::vector<const ResumableRecord*>> by_shard;
  for (const ResumableRecord& record : records) {
    const std::uint64_t bytes = record.key.size() + record.value.size();
    if (bytes > limits.record_bytes_max) {
      return Error(Code::kInvalidArgument, fmt::format("a record of {} bytes is over the broker's limit of {}", bytes,
                                                       limits.record_bytes_max));
    }
    by_shard[record.key.empty() ? keyless : map.FindByPartitionKey(record.key).value].push_back(&record);
  }
  std::vector<PreparedBatch> batches;
  auto sequences = next_sequence;
  for (const auto& [shard, of_shard] : by_shard) {
    const std::size_t first = batches.size();
    PrepareShard(shard, of_shard, sequences[shard], batches);
    if (batches.size() - first > kBatchesPerShardMax) {
      return Error(Code::kInvalidArgument,
                   fmt::format("the records make {} batches for shard {}; {} can be sent again at most",
                               batches.size() - first, shard, kBatchesPerShardMax));
    }
  }
  next_sequence = std::move(sequences);
  return batches;
}

// Appends the batches of one shard, and moves its sequence on.
void ResumableProducer::Impl::PrepareShard(std::uint32_t shard, const std::vector<const ResumableRecord*>& records,
                                           std::int32_t& sequence, std::vector<PreparedBatch>& batches) const {
  protocol::BatchBuilder builder(static_cast<protocol::Compression>(options.compression));
  const auto finish = [&] {
    const auto count = static_cast<std::uint32_t>(builder.record_count());
    builder.SetProducer(identity.id, identity.epoch, sequence);
    sequence = static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + count) & 0x7FFF'FFFFu);
    batches.push_back({.stream_id = stream.stream_id, .shard = shard, .records = count, .bytes = {}});
    builder.Finish(batches.back().bytes);
  };
  for (const ResumableRecord* record : records) {
    const std::size_t more = kRecordOverheadMax + record->key.size() + record->value.size();
    if (!builder.empty() && builder.size_bytes() + more > batch_bytes_max()) finish();
    std::optional<std::string_view> key;
    if (!record->key.empty()) key = record->key;
    builder.Add(record->timestamp_ms, key, record->value);
  }
  finish();
}

std::vector<Status> ResumableProducer::Impl::Send(std::span<const PreparedBatch> batches) {
  Sending sending{.batches = batches, .outcomes = std::vector<Status>(batches.size()), .queues = {}};
  for (std::size_t i = 0; i < batches.size(); ++i) {
    sending.queues[{batches[i].stream_id, batches[i].shard}].batches.push_back(i);
  }
  if (batches.empty()) return {};
  sending.busy = sending.queues.size();
  auto done = sending.done->get_future();
  io.Post([&] {
    for (auto& [shard, queue] : sending.queues) SendNext(sending, queue);
  });
  done.wait();
  return std::move(sending.outcomes);
}

void ResumableProducer::Impl::SendNext(Sending& sending, ShardQueue& queue) {
  if (queue.batches.empty()) {
    const auto done = sending.done;  // with the value set, `sending` may be gone
    if (--sending.busy == 0) done->set_value();
    return;
  }
  const PreparedBatch& batch = sending.batches[queue.batches.front()];
  const protocol::wire::AppendRequest request{batch.stream_id, batch.shard, static_cast<std::uint32_t>(Ack::kDurable)};
  client::Call call{.operation = protocol::wire::Operation::kAppend,
                    .control = std::string(Encode(request).view()),
                    .body = std::make_shared<const std::string>(batch.bytes),
                    .timeout = options.client.request_timeout};
  connection->Make(std::move(call), [this, &sending, &queue](const Result<client::Answer>& answer) {
    const Status outcome = OutcomeOf(answer);
    sending.outcomes[queue.batches.front()] = outcome;
    queue.batches.pop_front();
    if (!outcome.ok()) {
      for (const std::size_t index : std::exchange(queue.batches, {})) sending.outcomes[index] = outcome;
    }
    SendNext(sending, queue);
  });
}

Status ResumableProducer::Impl::OutcomeOf(const Result<client::Answer>& answer) {
  if (!answer) return answer.error();
  if (!protocol::wire::DecodeAppendResponse(answer->control)) {
    return {Code::kCorruption, "the broker's answer to an append does not parse"};
  }
  return {};
}

ResumableProducer::ResumableProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ResumableProducer::~ResumableProducer() = default;

Result<std::unique_ptr<ResumableProducer>> ResumableProducer::Open(std::string_view stream,
                                                                   ResumableProducerOptions options) {
  if (options.batch_bytes_max == 0 || options.batch_bytes_max > protocol::kBatchBytesMax) {
    return Error(Code::kInvalidArgument, fmt::format("batch_bytes_max {} is not within 1 to {}",
                                                     options.batch_bytes_max, protocol::kBatchBytesMax));
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  impl->stream_name = stream;
  if (Status looked_up = impl->Refresh(); !looked_up.ok()) return Error(std::move(looked_up));
  return std::unique_ptr<ResumableProducer>(new ResumableProducer(std::move(impl)));
}

Result<std::vector<PreparedBatch>> ResumableProducer::Prepare(std::span<const ResumableRecord> records) {
  return impl_->Prepare(records);
}

std::vector<Status> ResumableProducer::Send(std::span<const PreparedBatch> batches) { return impl_->Send(batches); }

Result<std::vector<PreparedBatch>> ResumableProducer::PrepareAgain(std::span<const PreparedBatch> batches) {
  if (Status refreshed = impl_->Refresh(); !refreshed.ok()) return Error(std::move(refreshed));
  std::vector<ResumableRecord> records;
  for (const PreparedBatch& batch : batches) {
    std::string scratch;
    auto reader = protocol::BatchReader::Open(batch.bytes, scratch);
    if (!reader) return std::unexpected(reader.error());
    for (;;) {
      const auto record = reader->Next();
      if (!record) return std::unexpected(record.error());
      if (*record == nullptr) break;
      records.push_back({.key = std::string((*record)->key.value_or("")),
                         .value = std::string((*record)->value.value_or("")),
                         .timestamp_ms = (*record)->timestamp_ms});
    }
  }
  return impl_->Prepare(records);
}

std::uint64_t ResumableProducer::record_bytes_max() const { return impl_->limits.record_bytes_max; }

std::uint64_t ResumableProducer::batch_bytes_max() const { return impl_->batch_bytes_max(); }

}  // namespace sluice
