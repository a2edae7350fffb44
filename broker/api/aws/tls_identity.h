// A certificate with its key, ready for handshakes: TLS 1.2 and 1.3, and HTTP/2 before HTTP/1.1 where the client lets
// the server choose (ALPN).
//
// Threads: immutable, any.
#pragma once

#include <memory>
#include <string_view>

#include "sluice/status.h"

struct ssl_ctx_st;

namespace sluice::broker::aws {

class TlsIdentity {
 public:
  /// Both in PEM; the certificate first, then the others of its chain. kInvalidArgument names the setting.
  static Result<std::shared_ptr<const TlsIdentity>> New(std::string_view certificate, std::string_view key);

  ssl_ctx_st* context() const { return context_.get(); }

 private:
  explicit TlsIdentity(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  const std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace sluice::broker::aws
