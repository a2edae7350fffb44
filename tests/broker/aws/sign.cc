// The canonical request of a POST without a query, and its HMAC.
#include "tests/broker/aws/sign.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "protocol/aws/amz_time.h"
#include "protocol/aws/sigv4.h"

namespace sluice::broker::aws {

namespace api = protocol::aws;

void Sign(HttpRequest& request, const Signer& signer) {
  const std::string time = api::FormatAmzTime(signer.time_s);
  const api::CredentialScope scope{std::string_view(time).substr(0, 8), signer.region, signer.service};
  request.fields.Add("x-amz-date", time);
  std::vector<HttpField> sorted;
  std::ranges::copy(request.fields.all(), std::back_inserter(sorted));
  std::ranges::sort(sorted, {}, &HttpField::name);
  std::string names;
  std::string canonical = fmt::format("{}\n{}\n\n", request.method, request.path);
  for (const HttpField& field : sorted) {
    canonical += fmt::format("{}:{}\n", field.name, field.value);
    names.append(names.empty() ? "" : ";").append(field.name);
  }
  canonical += fmt::format("\n{}\n{}", names, api::Sha256Hex(request.body));
  const std::string scope_text = fmt::format("{}/{}/{}/aws4_request", scope.date, scope.region, scope.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope_text, api::Sha256Hex(canonical));
  const api::SigningKey key = api::DeriveSigningKey(signer.secret, scope);
  std::array<unsigned char, 32> mac{};
  unsigned bytes = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(to_sign.data()),
       to_sign.size(), mac.data(), &bytes);
  std::string signature;
  for (const unsigned char byte : mac) signature += fmt::format("{:02x}", byte);
  request.fields.Add("authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                                  signer.access_key, scope_text, names, signature));
}

}  // namespace sluice::broker::aws
