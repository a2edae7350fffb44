// Encrypted streams in the core: what reaches the disk, what readers get, over restarts, crashes, rotation and lost
// keys.
#include <algorithm>
#include <random>
#include <set>

#include "protocol/sealed_batch.h"
#include "tests/broker/encryption/encrypted_world.h"

namespace sluice::broker {
namespace {

using protocol::Compression;

std::vector<std::string> BatchesOf(const Result<ReadAnswer>& answer) {
  REQUIRE(answer.has_value());
  std::vector<std::string> batches;
  std::uint64_t bytes = 0;
  for (const protocol::Frame& frame : answer->run.frames) {
    CHECK(protocol::VerifyFrame(frame.bytes()).has_value());
    CHECK(protocol::VerifyBatch(frame.batch()).has_value());
    batches.emplace_back(frame.batch());
    protocol::SetBaseOffset(batches.back(), Offset(0));
    bytes += frame.size();
  }
  CHECK(answer->run.bytes == bytes);
  return batches;
}

TEST_CASE("AppendService Append: an encrypted stream's records never reach the disk, and are read as they were",
          "[encryption]") {
  EncryptedWorld world(GENERATE(1u, 2u));
  const bool encrypted = GENERATE(true, false);  // false: the test can fail
  if (encrypted) REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  std::vector<std::string> sent;
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kSnappy, Compression::kLz4,
                                 Compression::kZstd, Compression::kNone}) {
    sent.push_back(BatchOf("canary-value " + std::string(1'000, 'x'), compression));
    REQUIRE(world.Append(sent.back(), 1).has_value());
  }
  const auto check = [&] {
    const auto answer = world.Read(FromOldest{}, 1);
    CHECK(BatchesOf(answer) == sent);
    for (const auto& frame : answer->run.frames) CHECK(frame.opened() == encrypted);
    CHECK(BatchesOf(world.Read(Offset(4), 1)) == std::vector(sent.begin() + 4, sent.end()));
    CHECK(world.DiskHas("canary-value") == !encrypted);
    CHECK(world.DiskHas("canary-key") == !encrypted);
  };
  check();
  world.Crash();  // from the journal
  check();
  world.Restart();  // from segments
  check();
}

// More than a loop opens itself, from memory and, once the memory is gone, from the disk.
TEST_CASE("ReadService Read: many sealed bytes are read as few are, between plain ones", "[encryption]") {
  EncryptedWorld world(GENERATE(1u, 2u));
  std::vector<std::string> sent;
  const auto append = [&](int batches, std::size_t bytes) {
    for (int i = 0; i < batches; ++i) {
      sent.push_back(BatchOf(std::string(bytes, static_cast<char>('a' + sent.size() % 26))));
      REQUIRE(world.Append(sent.back()).has_value());
    }
  };
  append(2, 1'000);
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  append(12, 40'000);
  REQUIRE(world.keyring().StopEncrypting("orders").has_value());
  append(2, 1'000);
  CHECK((BatchesOf(world.Read()) == sent));  // in parentheses: its values are not to be printed
  CHECK((BatchesOf(world.Read(Offset(5))) == std::vector(sent.begin() + 5, sent.end())));
  world.Restart();
  CHECK((BatchesOf(world.ReadToEnd()) == sent));
}

TEST_CASE("AppendService Append: refuses a batch that says it is sealed", "[encryption]") {
  EncryptedWorld world;
  if (GENERATE(true, false)) REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  std::string forged = BatchOf("value") + std::string(protocol::kSealOverheadBytes, 'x');
  protocol::SetSealed(forged, true);
  protocol::SetChecksum(forged);
  const auto refused = world.Append(forged);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code() == Code::kInvalidArgument);
  CHECK(refused.error().message().find("only a broker writes them") != std::string::npos);
}

TEST_CASE("StreamKeys Seal: the largest batch", "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  const auto keys = world.keyring().KeysOf(world.stream()->id);
  const ShardId shard{world.stream()->id, ShardIndex(0)};
  std::string batch(protocol::kBatchBytesMax - protocol::kSealOverheadBytes, '\0');
  CHECK(keys->Seal(shard, batch)->batch_view().size() == protocol::kBatchBytesMax);
  batch.push_back('\0');
  CHECK(keys->Seal(shard, batch).error() ==
        Status(Code::kInvalidArgument,
               "the batch has 16777184 bytes, over the limit of 16777183 for a stream that is encrypted; send smaller "
               "batches"));
}

TEST_CASE("AppendService Append: a retry of an idempotent producer is known after a crash, sealed or not",
          "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  std::string batch = BatchOf("once");
  protocol::SetProducer(batch, ProducerId(7), 0, 0);
  CHECK(world.Append(batch)->base_offset == Offset(0));
  CHECK(world.Append(batch)->duplicate);
  world.Crash();
  CHECK(world.Append(batch)->duplicate);
  REQUIRE(world.keyring().StopEncrypting("orders").has_value());
  const auto again = world.Append(batch);
  CHECK(again->duplicate);
  CHECK(again->base_offset == Offset(0));
  CHECK(BatchesOf(world.ReadToEnd()) == std::vector{batch});
}

TEST_CASE("ReadService Read: over a random history of starts, stops, rotation, restarts and crashes", "[encryption]") {
  const auto seed = static_cast<unsigned>(GENERATE(1, 2, 3, 4));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  EncryptedWorld world(1 + seed % 2);
  std::vector<std::string> sent;
  std::vector<bool> sealed;
  bool on = false;
  for (int i = 0; i < 120; ++i) {
    switch (random() % 12) {
      case 0:
        REQUIRE(world.keyring().Encrypt("orders", "any").has_value());
        on = true;
        break;
      case 1:
        REQUIRE(world.keyring().StopEncrypting("orders").has_value());
        on = false;
        break;
      case 2:
        random() % 2 == 0 ? world.Restart() : world.Crash();
        break;
      default:
        sent.push_back(BatchOf("value " + std::to_string(i), static_cast<Compression>(random() % 5)));
        sealed.push_back(on);
        REQUIRE(world.Append(sent.back()).has_value());
    }
  }
  const auto answer = world.ReadToEnd();
  CHECK((BatchesOf(answer) == sent));
  REQUIRE(answer->run.frames.size() == sent.size());
  const auto stored = world.Stored();
  REQUIRE(stored.size() == sent.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    CHECK(protocol::IsSealed(stored[i].batch()) == sealed[i]);
    CHECK(answer->run.frames[i].opened() == sealed[i]);
  }
}

TEST_CASE("Keyring Encrypt: each time another data key, and no nonce twice over restarts", "[encryption]") {
  EncryptedWorld world(2);
  std::set<std::string> nonces;
  std::size_t batches = 0;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(world.keyring().Encrypt("orders", "").has_value());
    for (int i = 0; i < 20; ++i, ++batches) REQUIRE(world.Append(BatchOf("v")).has_value());
    world.Restart();
    for (int i = 0; i < 20; ++i, ++batches) REQUIRE(world.Append(BatchOf("v")).has_value());
  }
  const auto stored = world.Stored();
  REQUIRE(stored.size() == batches);
  std::set<std::uint32_t> numbers;
  for (const auto& frame : stored) {
    const auto seal = protocol::ParseSealHeader(frame.batch());
    REQUIRE(seal.has_value());
    nonces.insert(std::string(seal->nonce.begin(), seal->nonce.end()));
    numbers.insert(seal->key_number);
  }
  CHECK(nonces.size() == batches);
  CHECK(numbers == std::set<std::uint32_t>{1, 2, 3});
}

TEST_CASE("Keyring: replaces a data key by age, and by batches", "[encryption]") {
  constexpr std::int64_t kAgeMs = 3'600'000;
  const bool by_age = GENERATE(true, false);
  EncryptedWorld world(
      1,
      {.key_file = "/keys", .data_key_age_ms = by_age ? kAgeMs : 0, .data_key_batches_max = by_age ? 1'000'000u : 5u});
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  const auto append = [&](int times) {
    for (int i = 0; i < times; ++i) REQUIRE(world.Append(BatchOf("v")).has_value());
    world.DrainBlocking();
    return world.stream()->encryption.data_keys.size();
  };
  CHECK(append(5) == 1);
  if (by_age) world.env().manual_clock().AdvanceMs(kAgeMs - 1);
  if (by_age) CHECK(append(1) == 1);
  if (by_age) world.env().manual_clock().AdvanceMs(1);
  CHECK(append(1) == 2);
  CHECK(append(1) == 2);
  const auto stored = world.Stored();
  CHECK(protocol::ParseSealHeader(stored.front().batch())->key_number == 1);
  CHECK(protocol::ParseSealHeader(stored.back().batch())->key_number == 2);
  CHECK(world.ReadToEnd()->run.frames.size() == stored.size());
}

TEST_CASE("Keyring: a new master key takes over at the start, and the old one may leave", "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.keyring().Encrypt("orders", "anything").has_value());
  REQUIRE(world.Append(BatchOf("before")).has_value());
  CHECK(world.stream()->encryption.data_keys.front().master_key == "first");
  world.SetKeys(std::string(kSecondKey) + std::string(kFirstKey));
  world.Restart();
  CHECK(world.stream()->encryption.data_keys.front().master_key == "second");
  world.SetKeys(kSecondKey);
  world.Crash();
  REQUIRE(world.Append(BatchOf("after")).has_value());
  CHECK(BatchesOf(world.ReadToEnd()) == std::vector{BatchOf("before"), BatchOf("after")});
}

TEST_CASE("Keyring: a master key that was asked for by its name stays, until it is not there", "[encryption]") {
  EncryptedWorld world;
  world.SetKeys(std::string(kSecondKey) + std::string(kFirstKey));
  world.Restart();
  REQUIRE(world.keyring().Encrypt("orders", "first").has_value());
  world.Restart();
  CHECK(world.stream()->encryption.data_keys.front().master_key == "first");
}

TEST_CASE("Keyring: a stream without its key tells so, and nothing else is held up", "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.Append(BatchOf("plain")).has_value());
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  REQUIRE(world.Append(BatchOf("sealed")).has_value());
  REQUIRE(world.catalog().Create("other", 1, {}).has_value());
  const auto [keys, why] = GENERATE(
      std::pair<std::string, std::string>{"",
                                          "encryption.key_file is not set; set it to the file that has the key "
                                          "'first', and restart the broker"},
      std::pair<std::string, std::string>{std::string(kSecondKey),
                                          "/keys has no key 'first'; put it back into the file "
                                          "and restart the broker"},
      std::pair<std::string, std::string>{
          "first" + std::string(kSecondKey.substr(6)),
          "the key 'first' in /keys is not the one that wrapped it, or the wrapped bytes "
          "are damaged; put back the key file that has the right one, and restart the "
          "broker"});
  world.SetKeys(keys);
  world.Restart();
  const Status told(Code::kFailedPrecondition, "the stream is encrypted, and its data key 1 cannot be used: " + why);
  CHECK(world.Append(BatchOf("more")).error() == told);
  CHECK(BatchesOf(world.Read()) == std::vector{BatchOf("plain")});  // what stands before is given
  CHECK(world.Read()->run.next == Offset(1));
  CHECK(world.Read(Offset(1)).error() == told);
  CHECK(world.Read(FromLatest{}).has_value());
  SECTION("it can be stopped, or go on with another key; the old records stay closed") {
    if (!keys.empty() && GENERATE(true, false)) {
      CHECK(world.keyring().Encrypt("orders", "").has_value());
    } else {
      CHECK(world.keyring().StopEncrypting("orders").has_value());
    }
    CHECK(world.Append(BatchOf("more")).has_value());
    CHECK(BatchesOf(world.Read(Offset(2))) == std::vector{BatchOf("more")});
    CHECK(world.Read(Offset(1)).error() == told);
  }
  SECTION("the key opens everything again") {
    world.SetKeys(kFirstKey);
    world.Restart();
    CHECK(world.Append(BatchOf("more")).has_value());
    CHECK(BatchesOf(world.ReadToEnd()) == std::vector{BatchOf("plain"), BatchOf("sealed"), BatchOf("more")});
  }
}

TEST_CASE("Keyring: wrapped keys serve no other stream and no other number", "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  REQUIRE(world.catalog().Create("other", 1, {}).has_value());
  const bool other_stream = GENERATE(true, false);
  const auto stolen = world.stream()->encryption;
  REQUIRE(world.catalog()
              .Change(other_stream ? "other" : "orders",
                      [&](StreamInfo& stream) {
                        stream.encryption = stolen;
                        if (!other_stream) stream.encryption.data_keys.front().number = 2;
                        return Status();
                      })
              .has_value());
  world.Restart();
  const StreamPtr stream = *world.catalog().Find(other_stream ? "other" : "orders");
  CHECK(world.keyring().KeysOf(stream->id)->sealing());
  CHECK(world.keyring().KeysOf(stream->id)->Find(other_stream ? 1 : 2) == nullptr);
}

TEST_CASE("Keyring: no record is sealed with a key that is not stored", "[encryption]") {
  EncryptedWorld world;
  EncryptedWorld other;
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  const auto before = world.stream()->encryption;
  const auto refused = world.catalog().Change("orders", [&](StreamInfo& stream) {
    CHECK(world.keyring().Renew(stream, "").ok());
    return Status(Code::kUnavailable, "the store does not take it");
  });
  CHECK(!refused.has_value());
  REQUIRE(world.Append(BatchOf("v")).has_value());
  CHECK(world.stream()->encryption == before);
  CHECK(protocol::ParseSealHeader(world.Stored().back().batch())->key_number == 1);
}

TEST_CASE("StreamCatalog Open: refuses data keys out of order, and encryption without a key", "[encryption]") {
  EncryptedWorld world;
  const auto opens = [&](const EncryptionSettings& encryption) {
    REQUIRE(world.catalog()
                .Change("orders",
                        [&](StreamInfo& stream) {
                          stream.encryption = encryption;
                          return Status();
                        })
                .has_value());
    const auto catalog = StreamCatalog::Open(world.metadata(), world.env().clock());
    return catalog ? Code::kOk : catalog.error().code();
  };
  const WrappedKey one{.number = 1, .master_key = "first", .wrapped = "bytes", .created_ms = 5};
  WrappedKey two = one;
  two.number = 2;
  CHECK(opens({.on = true, .key_id = "k", .data_keys = {one, two}}) == Code::kOk);
  CHECK(opens({.on = true, .key_id = "k", .data_keys = {two, one}}) == Code::kCorruption);
  CHECK(opens({.on = true, .key_id = "k", .data_keys = {one, one}}) == Code::kCorruption);
  CHECK(opens({.on = true, .key_id = "k", .data_keys = {}}) == Code::kCorruption);
  CHECK(opens({.on = false, .key_id = "", .data_keys = {}}) == Code::kOk);
}

TEST_CASE("Keyring Forget: a stream of the same name begins without keys", "[encryption]") {
  EncryptedWorld world;
  REQUIRE(world.keyring().Encrypt("orders", "").has_value());
  REQUIRE(world.Append(BatchOf("sealed")).has_value());
  const auto deleted = world.catalog().Delete("orders");
  REQUIRE(deleted.has_value());
  world.shards().ForgetStream(*deleted);
  REQUIRE(world.catalog().Create("orders", 2, {}).has_value());
  REQUIRE(world.Append(BatchOf("plain")).has_value());
  CHECK(!protocol::IsSealed(world.Stored().front().batch()));
  CHECK(world.stream()->encryption == EncryptionSettings());
}

}  // namespace
}  // namespace sluice::broker
