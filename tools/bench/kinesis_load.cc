// The headers and the signature of a request; what an answer must say.
#include "tools/bench/kinesis_load.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>
#include <iterator>

#include "protocol/aws/amz_time.h"
#include "protocol/aws/sigv4.h"
#include "protocol/base64.h"
#include "protocol/check.h"
#include "tools/bench/http_text.h"
#include "tools/bench/json_lines.h"
#include "tools/bench/native_load.h"

namespace sluice::tools {

namespace aws = protocol::aws;

namespace {

constexpr std::string_view kAccessKey = "AKIABENCH";
constexpr std::string_view kSecretKey = "of-the-bench-alone";
constexpr std::string_view kRegion = "us-east-1";
constexpr std::string_view kContentType = "application/x-amz-json-1.1";

std::string HmacHex(const aws::SigningKey& key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned bytes = 0;
  SLUICE_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &bytes) != nullptr);
  std::string hex;
  for (unsigned i = 0; i < bytes; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", mac.at(i));
  return hex;
}

std::string Authorization(std::string_view host, std::string_view time, std::string_view target,
                          std::string_view body) {
  constexpr std::string_view kSigned = "content-type;host;x-amz-date;x-amz-target";
  const aws::CredentialScope scope{time.substr(0, 8), kRegion, "kinesis"};
  const std::string scope_text = fmt::format("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service);
  const std::string canonical =
      fmt::format("POST\n/\n\ncontent-type:{}\nhost:{}\nx-amz-date:{}\nx-amz-target:{}\n\n{}\n{}", kContentType, host,
                  time, target, kSigned, aws::Sha256Hex(body));
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope_text, aws::Sha256Hex(canonical));
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", kAccessKey, scope_text,
                     kSigned, HmacHex(aws::DeriveSigningKey(kSecretKey, scope), to_sign));
}

/// The members of a record. Its line is one of few, its key is not.
std::string Record(std::uint64_t seed) {
  constexpr std::uint64_t kScatter = 0x9E3779B97F4A7C15;  // neighbours in number are none in their keys
  return fmt::format(R"("Data":"{}","PartitionKey":"user-{:08}")", protocol::EncodeBase64(JsonLine(seed, kRecordBytes)),
                     seed * kScatter % 100'000'000);
}

/// Checks a whole answer; says its size where it is not there yet.
Result<std::size_t> KinesisAnswerSize(std::string_view bytes) {
  auto size = HttpMessageBytes(bytes);
  if (!size || *size == 0 || *size > bytes.size()) return size;
  const std::string_view answer = bytes.substr(0, *size);
  const std::string_view body = answer.substr(HttpHead(answer).size());
  if (!answer.starts_with("HTTP/1.1 200 ")) {
    return Error(Code::kInternal, fmt::format("the broker refused: {}", body.substr(0, 300)));
  }
  constexpr std::string_view kFailed = R"({"FailedRecordCount":)";
  if (body.starts_with(kFailed) && !body.substr(kFailed.size()).starts_with("0,")) {
    return Error(Code::kInternal, "the broker refused records of a PutRecords");
  }
  return size;
}

}  // namespace

Result<std::unique_ptr<BrokerProcess>> StartKinesisBroker(const BenchOptions& options, Signatures signatures) {
  if (signatures == Signatures::kIgnored) {
    return BrokerProcess::Start(options, "kinesis", {{"SLUICE_AWS__ACCEPT_ANY_SIGNATURE", "true"}});
  }
  return BrokerProcess::Start(options, "kinesis",
                              {{fmt::format("SLUICE_AWS__ACCESS_KEYS__{}", kAccessKey), std::string(kSecretKey)}});
}

std::string KinesisRequest(std::uint16_t port, std::string_view operation, std::string_view body) {
  const std::string host = fmt::format("127.0.0.1:{}", port);
  const std::string target = fmt::format("Kinesis_20131202.{}", operation);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string time = aws::FormatAmzTime(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: {}\r\nX-Amz-Target: {}\r\nX-Amz-Date: {}\r\nUser-Agent: "
      "sluice-bench\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{}",
      host, kContentType, target, time, Authorization(host, time, target, body), body.size(), body);
}

std::string PutRecordsRequest(std::uint16_t port, std::string_view stream, std::size_t records, std::uint64_t seed) {
  std::string body = fmt::format(R"({{"StreamName":"{}","Records":[)", stream);
  for (std::size_t i = 0; i < records; ++i) {
    body += fmt::format("{}{{{}}}", i == 0 ? "" : ",", Record(seed * records + i));
  }
  return KinesisRequest(port, "PutRecords", body + "]}");
}

std::string PutRecordRequest(std::uint16_t port, std::string_view stream, std::uint64_t seed) {
  return KinesisRequest(port, "PutRecord", fmt::format(R"({{"StreamName":"{}",{}}})", stream, Record(seed)));
}

Result<std::string> CallKinesis(std::uint16_t port, std::string_view request) {
  auto socket = LoopbackSocket::Connect(port);
  if (!socket) return Error(socket.error());
  return socket->Exchange(request, KinesisAnswerSize);
}

LoadOptions KinesisLoad(std::uint16_t port) {
  LoadOptions load;
  load.port = port;
  load.answer_size = KinesisAnswerSize;
  return load;
}

}  // namespace sluice::tools
