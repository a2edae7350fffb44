// Records set aside: they come back as they were, from memory, from a file, and over a power cut.
#include "broker/delivery/record_spill.h"

#include <fmt/format.h>

#include <string>

#include "broker/encryption/key_file.h"
#include "storage/env/memory_env.h"
#include "tests/catch.h"

namespace sluice::delivery {
namespace {

using storage::MemoryEnv;

constexpr char kPath[] = "/work/a.spill";
constexpr std::size_t kStreams = 5;
constexpr std::size_t kRecords = 1000;

std::string ValueOf(std::size_t i) { return fmt::format("value {} {}", i, std::string(i % 50, 'v')); }
std::string SourceOf(std::size_t i) { return (i % 2 == 0 ? "source " : "") + ValueOf(i); }

/// Records of five streams in turns; some have another source than their value, some a place in a record.
void Fill(RecordSpill& spill) {
  for (std::size_t s = 0; s < kStreams; ++s)
    REQUIRE(spill.NewStream({.error_type = "", .values = {std::to_string(s)}}) == s);
  for (std::size_t i = 0; i < kRecords; ++i) {
    const std::string value = ValueOf(i);
    const std::string source = SourceOf(i);
    RecordRef record{value, "key", ShardIndex(3), Offset(i), static_cast<std::int64_t>(kRecords - i)};
    if (i % 3 == 0) record.sub_sequence = 9;
    REQUIRE(spill.Append(i % kStreams, record, i % 2 == 0 ? std::string_view(source) : record.value).ok());
  }
}

void Check(RecordSpill& spill) {
  for (std::size_t s = 0; s < kStreams; ++s) {
    std::size_t i = s;
    const Status status = spill.Read(s, [&](std::span<const RecordRef> records, std::span<const WorkRecord> work) {
      for (std::size_t n = 0; n < records.size(); ++n, i += kStreams) {
        CHECK(records[n].value == ValueOf(i));
        CHECK(records[n].key == "key");
        CHECK(records[n].offset.value == i);
        CHECK(records[n].sub_sequence.has_value() == (i % 3 == 0));
        CHECK(work[n].source == SourceOf(i));
      }
      return Status();
    });
    REQUIRE(status.ok());
    CHECK(i == kRecords + s);
    CHECK(spill.streams()[s].records == kRecords / kStreams);
    CHECK(spill.streams()[s].oldest_ms == static_cast<std::int64_t>(kStreams - s));
  }
}

std::unique_ptr<broker::KeyProvider> NewKeys(storage::Env& env) {
  REQUIRE(env.MakeDirs("/keys").ok());
  REQUIRE(broker::AddKey(env, "/keys/master").has_value());
  auto keys = broker::OpenKeyFile(env, "/keys/master");
  REQUIRE(keys.has_value());
  return std::move(*keys);
}

}  // namespace

TEST_CASE("RecordSpill: in memory only, where it fits", "[delivery]") {
  MemoryEnv env;
  RecordSpill spill(env, nullptr, kPath, 1 << 20);
  Fill(spill);
  Check(spill);
  CHECK_FALSE(env.Exists(kPath).value());
}

TEST_CASE("RecordSpill: in a file, which goes with it", "[delivery]") {
  MemoryEnv env;
  {
    RecordSpill spill(env, nullptr, kPath, 4096);
    Fill(spill);
    CHECK(spill.streams()[0].chunks.size() > 5);
    Check(spill);
    CHECK(env.Exists(kPath).value());
  }
  CHECK_FALSE(env.Exists(kPath).value());
}

TEST_CASE("RecordSpill: encrypted, also what is never sealed", "[delivery]") {
  MemoryEnv env;
  const auto keys = NewKeys(env);
  RecordSpill spill(env, keys.get(), kPath, 4096);
  Fill(spill);
  Check(spill);
  CHECK(env.ReadByHand(kPath).size() > 4096);
  CHECK_FALSE(env.ReadByHand(kPath).contains("value"));
}

TEST_CASE("RecordSpill: what is encrypted needs its master key", "[delivery]") {
  MemoryEnv env;
  const auto keys = NewKeys(env);
  RecordSpill spill(env, keys.get(), kPath, 4096);
  Fill(spill);
  const SpillSeal seal = spill.Seal({}).value();
  SpillCounts counts;
  const auto without = RecordSpill::Reopen(env, nullptr, kPath, seal, counts);
  CHECK(without.error().message() ==
        "'/work/a.spill' is encrypted by the master key 'key-1', and there is no key file: set encryption.key_file to "
        "the one that has it, and restart");
  REQUIRE(env.Remove("/keys/master").ok());
  const auto others = NewKeys(env);
  CHECK(RecordSpill::Reopen(env, others.get(), kPath, seal, counts).error().code() == Code::kCorruption);
  REQUIRE(env.MakeDirs("/moved").ok());
  env.WriteByHand("/moved/a.spill", env.ReadByHand(kPath));
  CHECK(RecordSpill::Reopen(env, keys.get(), "/moved/a.spill", seal, counts).has_value());
}

TEST_CASE("RecordSpill: a disk that fails is told of", "[delivery]") {
  MemoryEnv env;
  env.FailEvery(MemoryEnv::Call::kWrite, Code::kResourceExhausted);
  RecordSpill spill(env, nullptr, kPath, 16);
  (void)spill.NewStream({.error_type = "", .values = {}});
  const Status status = spill.Append(0, {"a value", "key", ShardIndex(0), Offset(0), 1}, "a value");
  CHECK(status.code() == Code::kResourceExhausted);
  CHECK(status.message().starts_with("setting records aside"));
}

TEST_CASE("RecordSpill: sealed, over a power cut", "[delivery]") {
  MemoryEnv env;
  const std::unique_ptr<broker::KeyProvider> keys = GENERATE(false, true) ? NewKeys(env) : nullptr;
  const SpillCounts counts{.records = 1000, .user_records = 1001, .filtered = 1, .bytes_in = 5};
  SpillSeal seal;
  {
    RecordSpill spill(env, keys.get(), kPath, 4096);
    Fill(spill);
    seal = *spill.Seal(counts);
  }
  env.Crash();
  SpillCounts read;
  auto spill = RecordSpill::Reopen(env, keys.get(), kPath, seal, read);
  REQUIRE(spill.has_value());
  CHECK(read == counts);
  Check(**spill);
  std::string bytes = env.ReadByHand(kPath);
  CHECK(bytes.contains("value 7") == (keys == nullptr));
  CHECK(bytes.contains("chunks") == (keys == nullptr));
  bytes[100] ^= 1;
  env.WriteByHand(kPath, bytes);
  spill = RecordSpill::Reopen(env, keys.get(), kPath, seal, read);
  REQUIRE(spill.has_value());
  CHECK((*spill)->Read(0, [](auto, auto) { return Status(); }).code() == Code::kCorruption);
  bytes.back() ^= 1;
  env.WriteByHand(kPath, bytes);
  CHECK(RecordSpill::Reopen(env, keys.get(), kPath, seal, read).error().code() == Code::kCorruption);
  REQUIRE(env.Remove(kPath).ok());
  CHECK(RecordSpill::Reopen(env, keys.get(), kPath, seal, read).error().code() == Code::kNotFound);
}

}  // namespace sluice::delivery
