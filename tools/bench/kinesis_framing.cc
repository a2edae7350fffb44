// The least work on PutRecord and PutRecords: HTTP by its content length, simdjson, base64, the MD5 that chooses the
// shard, CRC32C, and a sequence number for each record. No checks, no shapes, no shards.
#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <cstring>
#include <iterator>

#include "protocol/aws/sigv4.h"
#include "protocol/base64.h"
#include "protocol/check.h"
#include "protocol/crc32c.h"
#include "protocol/hash_key.h"
#include "tools/bench/bound_framing.h"
#include "tools/bench/http_text.h"

namespace sluice::tools {

namespace {

static_assert(BoundFraming::kPaddingBytes >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t kRecordHeaderBytes = 32;  // length, checksum, offset, hash key
constexpr std::size_t kChecksumFromBytes = 8;   // what stands before is the checksum and its length
constexpr std::size_t kSequenceNumberDigits = 56;

/// The text of a JSON string that has nothing escaped, without a copy.
std::string_view Plain(simdjson::ondemand::value value) {
  std::string_view token = value.raw_json_token();
  token = token.substr(0, token.rfind('"'));
  return token.substr(1);
}

class KinesisFraming : public BoundFraming {
 public:
  explicit KinesisFraming(bool verify) : verify_(verify) {}

  std::size_t RequestBytes(std::string_view bytes) const override {
    const auto size = HttpMessageBytes(bytes);
    SLUICE_CHECK(size.has_value());
    return *size;
  }

  std::size_t Take(std::string_view request, char* to, std::string& answers) override {
    const std::string_view head = HttpHead(request);
    const std::string_view body = request.substr(head.size());
    if (verify_) SLUICE_CHECK(!protocol::aws::Sha256Hex(body).empty());
    simdjson::ondemand::document document;
    SLUICE_CHECK(parser_.iterate(body.data(), body.size(), body.size() + kPaddingBytes).get(document) ==
                 simdjson::SUCCESS);
    char* const begin = to;
    answer_.clear();
    if (head.contains("PutRecords")) {
      answer_ += R"({"FailedRecordCount":0,"Records":[)";
      for (simdjson::ondemand::object record : document["Records"].get_array()) {
        to = TakeRecord(record, to);
        answer_ += ',';
      }
      answer_.back() = ']';
      answer_ += '}';
    } else {
      to = TakeRecord(document.get_object(), to);
    }
    fmt::format_to(std::back_inserter(answers),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{}",
                   answer_.size(), answer_);
    return static_cast<std::size_t>(to - begin);
  }

 private:
  char* TakeRecord(simdjson::ondemand::object record, char* to) {
    const std::string_view data = Plain(record["Data"].value());
    const std::string_view key = Plain(record["PartitionKey"].value());
    const protocol::HashKey hash = protocol::HashPartitionKey(key);
    ++next_offset_;
    std::memcpy(to + 8, &next_offset_, sizeof next_offset_);
    std::memcpy(to + 16, &hash, sizeof hash);
    char* end = to + kRecordHeaderBytes;
    end += key.copy(end, key.size());
    protocol::DecodeBase64To(data, end);
    end += protocol::Base64DecodedBytes(data);
    const auto length = static_cast<std::uint32_t>(end - to);
    const std::uint32_t checksum =
        protocol::Crc32c(std::string_view(to + kChecksumFromBytes, length - kChecksumFromBytes));
    std::memcpy(to, &length, sizeof length);
    std::memcpy(to + sizeof length, &checksum, sizeof checksum);
    AnswerRecord(hash.high >> 62);
    return end;
  }

  void AnswerRecord(std::uint64_t shard) {
    constexpr std::string_view kBefore = R"({"SequenceNumber":")";
    constexpr std::string_view kBetween = R"(","ShardId":"shardId-00000000000)";
    answer_ += kBefore;
    answer_.append(kSequenceNumberDigits, '4');
    char* digit = answer_.data() + answer_.size();
    for (std::uint64_t rest = next_offset_; rest > 0; rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
    answer_ += kBetween;
    answer_ += static_cast<char>('0' + shard);
    answer_ += "\"}";
  }

  const bool verify_;
  simdjson::ondemand::parser parser_;
  std::string answer_;
  std::uint64_t next_offset_ = 0;
};

}  // namespace

std::unique_ptr<BoundFraming> MakeKinesisFraming(bool verify) { return std::make_unique<KinesisFraming>(verify); }

}  // namespace sluice::tools
