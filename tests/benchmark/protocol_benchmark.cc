// What a record costs in protocol/: checksum, building, verifying and reading a batch, compression, routing, sequence
// numbers.
//
//   build/release/tests/benchmark/protocol_benchmark [--benchmark_filter=Build]
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "protocol/base64.h"
#include "protocol/batch.h"
#include "protocol/crc32c.h"
#include "protocol/hash_key.h"
#include "protocol/sequence_number.h"

namespace sluice::protocol {
namespace {

constexpr std::int64_t kNow_ms = 1'700'000'000'000;
constexpr std::size_t kBatchTarget = 1u << 20;

/// A line of JSON of about `size` bytes, different for each `seed`; compresses about as events do.
std::string Event(std::uint64_t seed, std::size_t size) {
  std::string event = "{";
  for (std::uint64_t field = 0; event.size() + 40 < size; ++field) {
    event +=
        "\"field_" + std::to_string(field) + "\": " + std::to_string((seed + field) * 0x9E3779B97F4A7C15u >> 20) + ", ";
  }
  event += "\"end\": true}";
  event.resize(size, ' ');
  return event;
}

std::string FullBatch(Compression compression, std::size_t record_bytes) {
  BatchBuilder builder(compression);
  std::uint64_t seed = 0;
  while (builder.size_bytes() < kBatchTarget) {
    builder.Add(kNow_ms, "user-" + std::to_string(seed), Event(seed, record_bytes));
    ++seed;
  }
  std::string batch;
  builder.Finish(batch);
  return batch;
}

void BytesAndRecords(benchmark::State& state, std::int64_t bytes, std::int64_t records) {
  state.SetBytesProcessed(state.iterations() * bytes);
  state.SetItemsProcessed(state.iterations() * records);
}

void BM_Crc32c(benchmark::State& state) {
  const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(bytes));
  BytesAndRecords(state, state.range(0), 1);
}
BENCHMARK(BM_Crc32c)->Arg(64)->Arg(1024)->Arg(64 << 10)->Arg(1 << 20);

void BM_DecodeBase64(benchmark::State& state) {
  const std::string text = EncodeBase64(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  std::string bytes(Base64DecodedBytes(text), '\0');
  for (auto _ : state) {
    DecodeBase64To(text, bytes.data());
    benchmark::DoNotOptimize(bytes);
  }
  BytesAndRecords(state, state.range(0), 1);
}
BENCHMARK(BM_DecodeBase64)->Arg(1024)->Arg(64 << 10);

void BM_Build(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(1));
  const std::string value = Event(1, static_cast<std::size_t>(state.range(0)));
  const auto count = static_cast<std::int64_t>(kBatchTarget / value.size());
  BatchBuilder builder(compression);
  std::string batch;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < count; ++i) builder.Add(kNow_ms + i, "user-1234", value);
    batch.clear();
    builder.Finish(batch);
    benchmark::DoNotOptimize(batch.data());
  }
  BytesAndRecords(state, count * state.range(0), count);
}
BENCHMARK(BM_Build)
    ->ArgNames({"record", "compression"})
    ->Args({100, 0})
    ->Args({1024, 0})
    ->Args({1024, 3})
    ->Args({1024, 4});

void BM_Verify(benchmark::State& state) {
  const std::string batch = FullBatch(Compression::kNone, static_cast<std::size_t>(state.range(0)));
  std::int64_t records = 0;
  for (auto _ : state) {
    const auto header = VerifyBatch(batch);
    records = header->record_count;
    benchmark::DoNotOptimize(records);
  }
  BytesAndRecords(state, static_cast<std::int64_t>(batch.size()), records);
}
BENCHMARK(BM_Verify)->ArgName("record")->Arg(100)->Arg(1024);

void BM_CheckRecords(benchmark::State& state) {
  const std::string batch =
      FullBatch(static_cast<Compression>(state.range(1)), static_cast<std::size_t>(state.range(0)));
  const auto header = VerifyBatch(batch);
  std::string scratch;
  for (auto _ : state) benchmark::DoNotOptimize(CheckRecords(*header, batch, kRecordBytesMax, scratch).ok());
  BytesAndRecords(state, static_cast<std::int64_t>(batch.size()), header->record_count);
}
BENCHMARK(BM_CheckRecords)->ArgNames({"record", "compression"})->Args({100, 0})->Args({1024, 0})->Args({1024, 4});

void BM_Read(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(1));
  const std::string batch = FullBatch(compression, static_cast<std::size_t>(state.range(0)));
  std::string scratch;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    auto reader = BatchReader::Open(batch, scratch);
    records = bytes = 0;
    while (const RecordView* record = *reader->Next()) {
      ++records;
      bytes += static_cast<std::int64_t>(record->value->size());
    }
    benchmark::DoNotOptimize(bytes);
  }
  BytesAndRecords(state, bytes, records);
}
BENCHMARK(BM_Read)
    ->ArgNames({"record", "compression"})
    ->Args({100, 0})
    ->Args({1024, 0})
    ->Args({1024, 1})
    ->Args({1024, 2})
    ->Args({1024, 3})
    ->Args({1024, 4});

void BM_Compress(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(0));
  const std::string batch = FullBatch(Compression::kNone, 1024);
  std::string compressed;
  for (auto _ : state) {
    compressed.clear();
    Compress(compression, batch, compressed);
  }
  BytesAndRecords(state, static_cast<std::int64_t>(batch.size()), 1);
  state.counters["ratio"] = static_cast<double>(batch.size()) / static_cast<double>(compressed.size());
}
BENCHMARK(BM_Compress)->ArgName("compression")->DenseRange(1, 4);

void BM_DecompressSmall(benchmark::State& state) {
  const auto compression = static_cast<Compression>(state.range(0));
  std::string compressed;
  Compress(compression, Event(1, 1024), compressed);
  std::string output;
  for (auto _ : state) {
    output.clear();
    benchmark::DoNotOptimize(Decompress(compression, compressed, kBatchBytesUncompressedMax, output).ok());
  }
  BytesAndRecords(state, 1024, 1);
}
BENCHMARK(BM_DecompressSmall)->ArgName("compression")->DenseRange(1, 4);

void BM_Route(benchmark::State& state) {
  const ShardMap map = ShardMap::Uniform(static_cast<std::uint32_t>(state.range(0)));
  std::string key = "user-00000000000";
  std::uint64_t n = 0;
  for (auto _ : state) {
    key[5 + n % 11] = static_cast<char>('0' + n % 10);
    ++n;
    benchmark::DoNotOptimize(map.FindByPartitionKey(key));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Route)->ArgName("shards")->Arg(1)->Arg(64)->Arg(4096);

void BM_SequenceNumberToDecimal(benchmark::State& state) {
  SequenceNumber number{1'700'000'000, ShardIndex(3), Offset(0), 1'700'000'012};
  for (auto _ : state) {
    number.offset = number.offset + 1;
    benchmark::DoNotOptimize(ToDecimal(number));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SequenceNumberToDecimal);

void BM_SequenceNumberParse(benchmark::State& state) {
  const std::string decimal = ToDecimal({1'700'000'000, ShardIndex(3), Offset(41), 1'700'000'012});
  for (auto _ : state) benchmark::DoNotOptimize(ParseSequenceNumber(decimal));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SequenceNumberParse);

}  // namespace
}  // namespace sluice::protocol
