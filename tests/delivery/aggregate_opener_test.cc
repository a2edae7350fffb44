// Opening of aggregates over random mixes of records, against what went into them.
#include "broker/delivery/aggregate_opener.h"

#include <deque>
#include <string>
#include <tuple>
#include <vector>

#include "storage/env/seeded_random.h"
#include "tests/catch.h"
#include "tests/protocol/kpl_aggregates.h"

namespace sluice::delivery {
namespace {

using protocol::KplRecord;
using storage::SeededRandom;

struct Delivered {
  std::string value, key;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> sub_sequence;
  friend bool operator==(const Delivered&, const Delivered&) = default;
};

/// Records of a shard, and what they must come out as.
struct Mix {
  std::deque<std::string> values;
  std::vector<RecordRef> records;
  std::vector<Delivered> opened;

  void Add(std::string value) {
    const std::uint64_t offset = records.size();
    values.push_back(std::move(value));
    records.push_back({values.back(), "outer", ShardIndex(3), Offset(offset), 1'000});
  }
  void AddPlain(std::string value) {
    opened.push_back({value, "outer", records.size(), {}});
    Add(std::move(value));
  }
  void AddAggregate(std::size_t count, SeededRandom& random) {
    std::deque<std::string> texts;
    std::vector<KplRecord> inside;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& key = texts.emplace_back("key " + std::to_string(random.Next() % 5));
      const std::string& data = texts.emplace_back(random.Next() % 40, static_cast<char>(random.Next()));
      inside.push_back({.partition_key = key, .explicit_hash_key = {}, .data = data});
      if (random.Next() % 2 == 0) inside.back().explicit_hash_key = "17";
      opened.push_back({data, key, records.size(), i});
    }
    Add(protocol::MakeKplAggregate(inside));
  }
};

std::string BrokenAggregate(SeededRandom& random) {
  std::string bytes = protocol::MakeKplAggregate(
      std::vector<KplRecord>{{.partition_key = "a", .explicit_hash_key = {}, .data = "data"}});
  if (random.Next() % 2 == 0) {
    bytes.back() = static_cast<char>(bytes.back() ^ 1);  // a wrong MD5
  } else {
    bytes = protocol::WrapKplMessage("no message");
  }
  return bytes;
}

std::vector<Delivered> Open(bool enabled, std::span<const RecordRef> records, std::size_t* counted = nullptr) {
  std::vector<Delivered> opened;
  AggregateOpener opener(enabled);
  const Status status = opener.Open(records, [&](std::span<const RecordRef> some) {
    for (const RecordRef& record : some) {
      CHECK((record.shard == ShardIndex(3) && record.append_time_ms == 1'000));
      opened.push_back({std::string(record.value), std::string(record.key), record.offset.value, record.sub_sequence});
      if (counted != nullptr && record.counts()) ++*counted;
    }
    return Status();
  });
  REQUIRE(status.ok());
  return opened;
}

TEST_CASE("AggregateOpener: every record of a random mix comes out once, in order, and none is lost", "[delivery]") {
  const std::uint64_t seed = GENERATE(range(1, 21));
  CAPTURE(seed);
  SeededRandom random(seed);
  Mix mix;
  for (std::uint64_t left = 1 + random.Next() % 60; left > 0; --left) {
    switch (random.Next() % 5) {
      case 0:
        mix.AddPlain(BrokenAggregate(random));
        break;
      case 1:
        mix.AddPlain(protocol::WrapKplMessage(""));  // an aggregate of nothing
        break;
      case 2:
        mix.AddPlain("plain");
        break;
      default:
        mix.AddAggregate(1 + random.Next() % 30, random);
    }
  }
  std::size_t counted = 0;
  CHECK(Open(true, mix.records, &counted) == mix.opened);
  CHECK(counted == mix.records.size());
  const std::vector<Delivered> closed = Open(false, mix.records);
  REQUIRE(closed.size() == mix.records.size());
  for (std::size_t i = 0; i < closed.size(); ++i) CHECK(closed[i] == Delivered{mix.values[i], "outer", i, {}});
}

TEST_CASE("AggregateOpener: a large aggregate comes in pieces", "[delivery]") {
  SeededRandom random(1);
  Mix mix;
  mix.AddPlain("before");
  mix.AddAggregate(20'000, random);
  mix.AddPlain("after");
  CHECK(Open(true, mix.records) == mix.opened);
  std::size_t most = 0;
  AggregateOpener opener(true);
  CHECK(opener
            .Open(mix.records,
                  [&](std::span<const RecordRef> some) {
                    most = std::max(most, some.size());
                    return Status();
                  })
            .ok());
  CHECK(most <= 4096);
}

TEST_CASE("AggregateOpener: the visitor's error ends it", "[delivery]") {
  SeededRandom random(1);
  Mix mix;
  mix.AddAggregate(10'000, random);
  int calls = 0;
  AggregateOpener opener(true);
  const auto fail = [&](std::span<const RecordRef>) {
    ++calls;
    return Status(Code::kIoError, "full");
  };
  CHECK(opener.Open(mix.records, fail).code() == Code::kIoError);
  CHECK(calls == 1);
  CHECK(Open(true, mix.records) == mix.opened);
}

}  // namespace
}  // namespace sluice::delivery
