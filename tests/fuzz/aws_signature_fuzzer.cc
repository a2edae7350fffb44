// Signatures: any request, one part per line (method, path, query, headers as NAME:VALUE). What can be read can be
// checked, and is never right with a key that nobody chose.
#include <string>
#include <string_view>
#include <vector>

#include "protocol/aws/sigv4.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol::aws {
namespace {

std::string_view TakeLine(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void Check(std::string_view input) {
  SignedRequest request;
  request.method = TakeLine(input);
  request.path = TakeLine(input);
  request.query = TakeLine(input);
  std::vector<HttpHeader> headers;
  while (!input.empty()) {
    const std::string_view line = TakeLine(input);
    const std::size_t colon = std::min(line.find(':'), line.size());
    headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
  }
  request.headers = headers;
  const std::string digest = Sha256Hex("");
  request.body_sha256 = digest;
  const auto claim = ReadClaim(request);
  if (!claim) {
    SLUICE_CHECK(!claim.error().message.empty());
    return;
  }
  const SigningKey key = DeriveSigningKey("secret", claim->scope);
  SLUICE_CHECK(CheckSignature(request, *claim, key, claim->time_s).has_value());
}

}  // namespace
}  // namespace sluice::protocol::aws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::protocol::aws::Check(sluice::fuzz::Input(data, size));
  return 0;
}
