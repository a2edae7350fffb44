// Sealed batches: what goes in comes out, nothing else opens, and what must not be seen is not there.
#include "protocol/sealed_batch.h"

#include <rapidcheck.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.h"

namespace sluice::protocol {
namespace {

constexpr ShardId kShard{StreamId(7), ShardIndex(3)};

SecretKey KeyOf(char byte) { return SecretKey::FromBytes(std::string(kSecretKeyBytes, byte)); }

std::string BatchOf(Compression compression, const std::vector<std::string>& values, bool idempotent = true) {
  BatchBuilder builder(compression);
  if (idempotent) builder.SetProducer(ProducerId(9), 2, 70);
  for (const std::string& value : values) builder.Add(1'700'000'000'000, "canary-key", value);
  std::string batch;
  builder.Finish(batch);
  return batch;
}

FrameBuffer Sealed(std::string_view batch, const SecretKey& key, ShardId shard = kShard) {
  const Seal seal{.key = key, .header = {.key_number = 4, .nonce = {'n', 'o', 'n', 'c', 'e'}}};
  return SealBatch(seal, shard, batch);
}

/// As it stands in the log of `shard`; the frame's checksum fits whatever the batch is.
Frame FrameOf(std::string_view batch, ShardId shard = kShard, Offset base_offset = Offset(0)) {
  FrameBuffer buffer(batch.size());
  std::ranges::copy(batch, buffer.batch().begin());
  SetBaseOffset(buffer.batch(), base_offset);
  const FrameHeader header{.shard = shard,
                           .base_offset = base_offset,
                           .record_count = 2,
                           .append_time_ms = 1'700'000'000'005,
                           .durable_upto = base_offset};
  return Frame::Seal(std::move(buffer), header);
}

TEST_CASE("SealBatch: OpenFrame gives the same bytes back, whatever the compression", "[protocol]") {
  rc::check([] {
    const auto compression = *rc::gen::element(Compression::kNone, Compression::kGzip, Compression::kSnappy,
                                               Compression::kLz4, Compression::kZstd);
    const auto values = *rc::gen::nonEmpty(rc::gen::arbitrary<std::vector<std::string>>());
    const std::string plain = BatchOf(compression, values, *rc::gen::arbitrary<bool>());
    const SecretKey key = KeyOf(*rc::gen::arbitrary<char>());
    const FrameBuffer sealed = Sealed(plain, key);
    const auto header = VerifyBatch(sealed.batch_view());
    RC_ASSERT(header.has_value());
    RC_ASSERT(header->sealed() && IsSealed(sealed.batch_view()) && !IsSealed(plain));
    RC_ASSERT(header->compression() == compression);
    RC_ASSERT(header->record_count == static_cast<std::int32_t>(values.size()));
    RC_ASSERT(sealed.batch_view().size() == plain.size() + kSealOverheadBytes);
    const auto opened = OpenFrame(FrameOf(sealed.batch_view()), key);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->batch() == plain);
  });
}

TEST_CASE("SealBatch: keys and values are not in it, and the same batch never looks the same", "[protocol]") {
  const std::string plain = BatchOf(Compression::kNone, {"canary-value", "canary-value"});
  REQUIRE(plain.find("canary") != std::string::npos);
  const SecretKey key = KeyOf('k');
  const FrameBuffer first = Sealed(plain, key);
  CHECK(first.batch_view().find("canary") == std::string_view::npos);
  const Seal other{.key = key, .header = {.key_number = 4, .nonce = {'o', 't', 'h', 'e', 'r'}}};
  const FrameBuffer second = SealBatch(other, kShard, plain);
  CHECK(first.batch_view().substr(78) != second.batch_view().substr(78));
}

TEST_CASE("OpenFrame: a frame of the same place and time, marked, with checksums that hold", "[protocol]") {
  const std::string plain = BatchOf(Compression::kNone, {"a", "b"});
  const SecretKey key = KeyOf('k');
  const Frame sealed = FrameOf(Sealed(plain, key).batch_view(), kShard, Offset(41));
  const auto opened = OpenFrame(sealed, key);
  REQUIRE(opened.has_value());
  CHECK(opened->opened());
  CHECK(!sealed.opened());
  CHECK(VerifyFrame(opened->bytes()).has_value());
  CHECK(VerifyBatch(opened->batch())->base_offset == 41);
  CHECK(opened->base_offset() == Offset(41));
  CHECK(opened->header().append_time_ms == sealed.header().append_time_ms);
  CHECK(opened->header().record_count == 2);
}

TEST_CASE("OpenFrame: one changed byte anywhere is told, naming shard and offset", "[protocol]") {
  const SecretKey key = KeyOf('k');
  const std::string sealed(Sealed(BatchOf(Compression::kLz4, {"first", "second"}), key).batch_view());
  for (std::size_t at = 21; at < sealed.size(); ++at) {
    std::string changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    SetChecksum(changed);  // as somebody would who can write to the disk
    const auto opened = OpenFrame(FrameOf(changed, kShard, Offset(41)), key);
    INFO("byte " << at);
    REQUIRE(!opened.has_value());
    const bool version = at == 61;
    const bool own_check = at < 61 && !VerifyBatch(changed);
    CHECK(opened.error().code() == (version ? Code::kUnimplemented : Code::kCorruption));
    if (version || own_check) continue;
    CHECK(opened.error().message().find("shard 7/3 at offset 41") != std::string::npos);
  }
}

TEST_CASE("OpenFrame: not with another key, in another shard, or from another stream", "[protocol]") {
  const SecretKey key = KeyOf('k');
  const FrameBuffer sealed = Sealed(BatchOf(Compression::kNone, {"a", "b"}), key);
  CHECK(OpenFrame(FrameOf(sealed.batch_view()), key).has_value());
  CHECK(OpenFrame(FrameOf(sealed.batch_view()), KeyOf('l')).error().code() == Code::kCorruption);
  for (const ShardId other : {ShardId{StreamId(7), ShardIndex(4)}, ShardId{StreamId(8), ShardIndex(3)}}) {
    CHECK(OpenFrame(FrameOf(sealed.batch_view(), other), key).error().code() == Code::kCorruption);
  }
}

TEST_CASE("ParseSealHeader: what is no sealed batch is told", "[protocol]") {
  const SecretKey key = KeyOf('k');
  const std::string plain = BatchOf(Compression::kNone, {"a"});
  CHECK(ParseSealHeader(plain).error().code() == Code::kCorruption);
  const std::string sealed(Sealed(plain, key).batch_view());
  CHECK(ParseSealHeader(sealed)->key_number == 4);
  CHECK(ParseSealHeader(sealed + "x").error().code() == Code::kCorruption);
  CHECK(ParseSealHeader(sealed.substr(0, 93)).error().code() == Code::kCorruption);
  std::string empty = sealed.substr(0, 61);  // a header that promises what is not there
  SetSealed(empty, true);
  CHECK(ParseSealHeader(empty).error().code() == Code::kCorruption);
}

TEST_CASE("BatchReader Open, CheckRecords: refuse a sealed batch", "[protocol]") {
  const std::string sealed(Sealed(BatchOf(Compression::kZstd, {"a"}), KeyOf('k')).batch_view());
  std::string scratch;
  const auto reader = BatchReader::Open(sealed, scratch);
  REQUIRE(!reader.has_value());
  CHECK(reader.error().code() == Code::kInvalidArgument);
  CHECK(
      reader.error().message() ==
      "record batch: attributes with 0x0080 say that its records are encrypted, as only a broker writes them into its "
      "own log; send the records as they are");
  CHECK(CheckRecords(*VerifyBatch(sealed), sealed, 1'000, scratch) == reader.error());
}

TEST_CASE("SecretKey: nothing stays where it was moved from", "[protocol]") {
  SecretKey first = KeyOf('k');
  const SecretKey second = std::move(first);
  CHECK(second.bytes() == std::string(kSecretKeyBytes, 'k'));
  CHECK(first.bytes() == std::string(kSecretKeyBytes, '\0'));
  CHECK(SecretKey::Random()->bytes() != SecretKey::Random()->bytes());
}

}  // namespace
}  // namespace sluice::protocol
