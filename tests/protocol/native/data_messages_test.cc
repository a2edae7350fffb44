// The hand-written codec of the data path, held against the code that protoc generated.
#include "protocol/native/data_messages.h"

#include <rapidcheck.h>

#include <string>

#include "protocol/native/native.pb.h"
#include "tests/catch.h"

namespace sluice::protocol::wire {
namespace {

// Every fourth value is an edge: what varints are cut at.
template <typename Int>
rc::Gen<Int> AnyInt() {
  return rc::gen::weightedOneOf<Int>(
      {{3, rc::gen::arbitrary<Int>()},
       {1, rc::gen::element<Int>(Int{0}, Int{1}, Int{127}, Int{128}, std::numeric_limits<Int>::max(),
                                 std::numeric_limits<Int>::min())}});
}

rc::Gen<std::string> AnyBytes() { return rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

sluice::native::ReadRequest AnyRead() {
  sluice::native::ReadRequest message;
  message.set_stream_id(*AnyInt<std::uint32_t>());
  message.set_shard(*AnyInt<std::uint32_t>());
  switch (*rc::gen::inRange(0, 5)) {
    case 1:
      message.set_offset(*AnyInt<std::uint64_t>());
      break;
    case 2:
      message.set_time_ms(*AnyInt<std::int64_t>());
      break;
    case 3:
      message.set_oldest(*rc::gen::arbitrary<bool>());
      break;
    case 4:
      message.set_latest(*rc::gen::arbitrary<bool>());
      break;
    default:
      break;
  }
  message.set_bytes_max(*AnyInt<std::uint64_t>());
  message.set_records_max(*AnyInt<std::uint64_t>());
  message.set_wait_ms(*AnyInt<std::uint32_t>());
  return message;
}

ReadFrom FromOf(const sluice::native::ReadRequest& message) {
  switch (message.from_case()) {
    case sluice::native::ReadRequest::kOffset:
      return ReadFrom::kOffset;
    case sluice::native::ReadRequest::kTimeMs:
      return ReadFrom::kTime;
    case sluice::native::ReadRequest::kOldest:
      return ReadFrom::kOldest;
    case sluice::native::ReadRequest::kLatest:
      return ReadFrom::kLatest;
    case sluice::native::ReadRequest::FROM_NOT_SET:
      break;
  }
  return ReadFrom::kUnset;
}

void RequireSame(const ReadRequest& ours, const sluice::native::ReadRequest& theirs) {
  RC_ASSERT(ours.stream_id == theirs.stream_id());
  RC_ASSERT(ours.shard == theirs.shard());
  RC_ASSERT(ours.from == FromOf(theirs));
  RC_ASSERT(ours.offset == theirs.offset());
  RC_ASSERT(ours.time_ms == theirs.time_ms());
  RC_ASSERT(ours.bytes_max == theirs.bytes_max());
  RC_ASSERT(ours.records_max == theirs.records_max());
  RC_ASSERT(ours.wait_ms == theirs.wait_ms());
}

TEST_CASE("data messages: what Encode writes, Protobuf reads", "[protocol]") {
  CHECK(rc::check("AppendRequest", [] {
    const AppendRequest message{*AnyInt<std::uint32_t>(), *AnyInt<std::uint32_t>(), *AnyInt<std::uint32_t>()};
    sluice::native::AppendRequest theirs;
    RC_ASSERT(theirs.ParseFromString(std::string(Encode(message).view())));
    RC_ASSERT(theirs.SerializeAsString() == Encode(message).view());
    RC_ASSERT(theirs.stream_id() == message.stream_id && theirs.shard() == message.shard &&
              theirs.ack() == message.ack);
    RC_ASSERT(DecodeAppendRequest(Encode(message).view()).value() == message);
  }));
  CHECK(rc::check("AppendResponse", [] {
    const AppendResponse message{*AnyInt<std::uint64_t>(), *AnyInt<std::int64_t>(), *rc::gen::arbitrary<bool>()};
    sluice::native::AppendResponse theirs;
    RC_ASSERT(theirs.ParseFromString(std::string(Encode(message).view())));
    RC_ASSERT(theirs.SerializeAsString() == Encode(message).view());
    RC_ASSERT(theirs.base_offset() == message.base_offset && theirs.append_time_ms() == message.append_time_ms &&
              theirs.duplicate() == message.duplicate);
    RC_ASSERT(DecodeAppendResponse(Encode(message).view()).value() == message);
  }));
  CHECK(rc::check("ReadResponse", [] {
    const ReadResponse message{*AnyInt<std::uint64_t>(), *AnyInt<std::uint64_t>(), *AnyInt<std::uint64_t>(),
                               *AnyInt<std::uint64_t>(), *rc::gen::arbitrary<bool>()};
    sluice::native::ReadResponse theirs;
    RC_ASSERT(theirs.ParseFromString(std::string(Encode(message).view())));
    RC_ASSERT(theirs.SerializeAsString() == Encode(message).view());
    RC_ASSERT(theirs.next_offset() == message.next_offset && theirs.oldest_offset() == message.oldest_offset);
    RC_ASSERT(theirs.end_offset() == message.end_offset && theirs.first_offset() == message.first_offset);
    RC_ASSERT(theirs.closed() == message.closed);
    RC_ASSERT(DecodeReadResponse(Encode(message).view()).value() == message);
  }));
}

TEST_CASE("data messages: what Protobuf writes of a ReadRequest, Decode reads, and the other way", "[protocol]") {
  CHECK(rc::check([] {
    const auto theirs = AnyRead();
    const auto ours = DecodeReadRequest(theirs.SerializeAsString());
    RC_ASSERT(ours.has_value());
    RequireSame(*ours, theirs);
    sluice::native::ReadRequest again;
    RC_ASSERT(again.ParseFromString(std::string(Encode(*ours).view())));
    RequireSame(*ours, again);
  }));
}

TEST_CASE("data messages: fields of another message are skipped, and of two values the last one wins", "[protocol]") {
  CHECK(rc::check([] {
    sluice::native::CreateStreamRequest other;  // length-delimited fields 1 and 3, varint 2
    other.set_name(*AnyBytes());
    other.mutable_retention()->set_bytes(*AnyInt<std::uint64_t>());
    const std::string bytes = AnyRead().SerializeAsString() + other.SerializeAsString() + AnyRead().SerializeAsString();
    sluice::native::ReadRequest theirs;
    RC_ASSERT(theirs.ParseFromString(bytes));
    const auto ours = DecodeReadRequest(bytes);
    RC_ASSERT(ours.has_value());
    RequireSame(*ours, theirs);
  }));
}

TEST_CASE("data messages: bytes that Decode takes, Protobuf takes with the same values", "[protocol]") {
  CHECK(rc::check([] {
    std::string bytes = AnyRead().SerializeAsString();
    if (!bytes.empty() && *rc::gen::arbitrary<bool>()) {
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
    }
    bytes += *AnyBytes();
    const auto ours = DecodeReadRequest(bytes);
    sluice::native::ReadRequest theirs;
    if (!ours) return;
    RC_ASSERT(theirs.ParseFromString(bytes));
    RequireSame(*ours, theirs);
  }));
}

TEST_CASE("data messages: each broken encoding is an invalid argument", "[protocol]") {
  const std::string broken = GENERATE(values<std::string>({
      "\x08",                                              // a tag without its value
      "\x08\x80",                                          // a varint that does not end
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",      // a varint of more than 64 bits
      "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // a varint of eleven bytes
      std::string("\x00\x01", 2),                          // field 0
      "\x0b\x0c",                                          // a group
      "\x0e",                                              // wire type 6
      "\x0a\x05"
      "abcd",                                          // a length past the end
      "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // a length of 2^64 - 1
      "\x09"
      "1234567",  // seven of eight fixed bytes
      "\x0d"
      "123",                           // three of four
      "\x88\x80\x80\x80\x80\x01\x01",  // a tag of more than 32 bits
  }));
  const auto result = DecodeReadRequest(broken);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == Code::kInvalidArgument);
  CHECK_FALSE(DecodeAppendRequest(broken).has_value());
  CHECK_FALSE(DecodeAppendResponse(broken).has_value());
  CHECK_FALSE(DecodeReadResponse(broken).has_value());
}

TEST_CASE("EncodedMessage: the largest of the four fits", "[protocol]") {
  const ReadRequest message{~0u, ~0u, ReadFrom::kTime, 0, -1, ~std::uint64_t{0}, ~std::uint64_t{0}, ~0u};
  CHECK(Encode(message).view().size() == 51);
  const ReadResponse answer{~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}};
  CHECK(Encode(answer).view().size() == 44);
}

}  // namespace
}  // namespace sluice::protocol::wire
