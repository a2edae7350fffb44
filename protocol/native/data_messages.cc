// Walks the Protobuf wire format of four small messages: tags, varints, and skipping of what is not known.
#include "protocol/native/data_messages.h"

#include "protocol/check.h"

namespace sluice::protocol::wire {
namespace {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

void PushVarint(EncodedMessage& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.Push(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.Push(static_cast<std::uint8_t>(value));
}

// A field of a oneof is written also where it has its default value.
void PushChosen(EncodedMessage& out, std::uint32_t field, std::uint64_t value) {
  PushVarint(out, field << 3 | kVarint);
  PushVarint(out, value);
}

void PushField(EncodedMessage& out, std::uint32_t field, std::uint64_t value) {
  if (value != 0) PushChosen(out, field, value);
}

// Gives the varint fields of a message one after the other and skips all others.
class FieldWalker {
 public:
  explicit FieldWalker(std::string_view bytes) : rest_(bytes) {}

  // False at the end and at an error; failed() tells them apart.
  bool Next() {
    while (!rest_.empty() && !failed_) {
      std::uint64_t tag = 0;
      if (!TakeVarint(tag) || tag >> 32 != 0 || tag >> 3 == 0) return Fail();
      field_ = static_cast<std::uint32_t>(tag >> 3);
      if ((tag & 7) == kVarint) return TakeVarint(value_) || Fail();
      if (!Skip(static_cast<std::uint32_t>(tag & 7))) return Fail();
    }
    return false;
  }

  bool failed() const { return failed_; }
  std::uint32_t field() const { return field_; }
  std::uint64_t value() const { return value_; }

 private:
  bool Fail() {
    failed_ = true;
    return false;
  }

  bool TakeVarint(std::uint64_t& value) {
    value = 0;
    for (std::size_t i = 0; i < 10 && i < rest_.size(); ++i) {
      const auto byte = static_cast<std::uint8_t>(rest_[i]);
      if (i == 9 && byte > 1) return false;  // more than 64 bits
      value |= std::uint64_t{byte & 0x7Fu} << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  bool Skip(std::uint32_t wire_type) {
    std::uint64_t size = 0;
    if (wire_type == kFixed64) {
      size = 8;
    } else if (wire_type == kFixed32) {
      size = 4;
    } else if (wire_type != kLengthDelimited || !TakeVarint(size)) {
      return false;
    }
    if (size > rest_.size()) return false;
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  std::uint32_t field_ = 0;
  std::uint64_t value_ = 0;
  bool failed_ = false;
};

template <typename Message, typename Take>
Result<Message> Decode(std::string_view bytes, std::string_view name, Take take) {
  Message message;
  FieldWalker fields(bytes);
  while (fields.Next()) take(message, fields.field(), fields.value());
  if (fields.failed()) return Error(Code::kInvalidArgument, std::string(name) + ": the control message does not parse");
  return message;
}

// The last member of the oneof that was written is the one that holds.
void ChooseReadFrom(ReadRequest& message, ReadFrom from, std::uint64_t offset, std::int64_t time_ms) {
  message.from = from;
  message.offset = offset;
  message.time_ms = time_ms;
}

}  // namespace

void EncodedMessage::Push(std::uint8_t byte) {
  SLUICE_CHECK(size_ < bytes_.size());
  bytes_[size_++] = static_cast<char>(byte);
}

EncodedMessage Encode(const AppendRequest& message) {
  EncodedMessage out;
  PushField(out, 1, message.stream_id);
  PushField(out, 2, message.shard);
  PushField(out, 3, message.ack);
  return out;
}

EncodedMessage Encode(const AppendResponse& message) {
  EncodedMessage out;
  PushField(out, 1, message.base_offset);
  PushField(out, 2, static_cast<std::uint64_t>(message.append_time_ms));
  PushField(out, 3, message.duplicate ? 1 : 0);
  return out;
}

EncodedMessage Encode(const ReadRequest& message) {
  EncodedMessage out;
  PushField(out, 1, message.stream_id);
  PushField(out, 2, message.shard);
  switch (message.from) {
    case ReadFrom::kUnset:
      break;
    case ReadFrom::kOffset:
      PushChosen(out, 3, message.offset);
      break;
    case ReadFrom::kTime:
      PushChosen(out, 4, static_cast<std::uint64_t>(message.time_ms));
      break;
    case ReadFrom::kOldest:
      PushChosen(out, 5, 1);
      break;
    case ReadFrom::kLatest:
      PushChosen(out, 6, 1);
      break;
  }
  PushField(out, 7, message.bytes_max);
  PushField(out, 8, message.records_max);
  PushField(out, 9, message.wait_ms);
  return out;
}

EncodedMessage Encode(const ReadResponse& message) {
  EncodedMessage out;
  PushField(out, 1, message.next_offset);
  PushField(out, 2, message.oldest_offset);
  PushField(out, 3, message.end_offset);
  PushField(out, 4, message.first_offset);
  PushField(out, 5, message.closed ? 1 : 0);
  return out;
}

Result<AppendRequest> DecodeAppendRequest(std::string_view bytes) {
  return Decode<AppendRequest>(bytes, "append", [](AppendRequest& message, std::uint32_t field, std::uint64_t value) {
    switch (field) {
      case 1:
        message.stream_id = static_cast<std::uint32_t>(value);
        break;
      case 2:
        message.shard = static_cast<std::uint32_t>(value);
        break;
      case 3:
        message.ack = static_cast<std::uint32_t>(value);
        break;
      default:
        break;
    }
  });
}

Result<AppendResponse> DecodeAppendResponse(std::string_view bytes) {
  return Decode<AppendResponse>(bytes, "append answer",
                                [](AppendResponse& message, std::uint32_t field, std::uint64_t value) {
                                  switch (field) {
                                    case 1:
                                      message.base_offset = value;
                                      break;
                                    case 2:
                                      message.append_time_ms = static_cast<std::int64_t>(value);
                                      break;
                                    case 3:
                                      message.duplicate = value != 0;
                                      break;
                                    default:
                                      break;
                                  }
                                });
}

Result<ReadRequest> DecodeReadRequest(std::string_view bytes) {
  return Decode<ReadRequest>(bytes, "read", [](ReadRequest& message, std::uint32_t field, std::uint64_t value) {
    switch (field) {
      case 1:
        message.stream_id = static_cast<std::uint32_t>(value);
        break;
      case 2:
        message.shard = static_cast<std::uint32_t>(value);
        break;
      case 3:
        ChooseReadFrom(message, ReadFrom::kOffset, value, 0);
        break;
      case 4:
        ChooseReadFrom(message, ReadFrom::kTime, 0, static_cast<std::int64_t>(value));
        break;
      case 5:
        ChooseReadFrom(message, ReadFrom::kOldest, 0, 0);
        break;
      case 6:
        ChooseReadFrom(message, ReadFrom::kLatest, 0, 0);
        break;
      case 7:
        message.bytes_max = value;
        break;
      case 8:
        message.records_max = value;
        break;
      case 9:
        message.wait_ms = static_cast<std::uint32_t>(value);
        break;
      default:
        break;
    }
  });
}

Result<ReadResponse> DecodeReadResponse(std::string_view bytes) {
  return Decode<ReadResponse>(bytes, "read answer",
                              [](ReadResponse& message, std::uint32_t field, std::uint64_t value) {
                                switch (field) {
                                  case 1:
                                    message.next_offset = value;
                                    break;
                                  case 2:
                                    message.oldest_offset = value;
                                    break;
                                  case 3:
                                    message.end_offset = value;
                                    break;
                                  case 4:
                                    message.first_offset = value;
                                    break;
                                  case 5:
                                    message.closed = value != 0;
                                    break;
                                  default:
                                    break;
                                }
                              });
}

}  // namespace sluice::protocol::wire
