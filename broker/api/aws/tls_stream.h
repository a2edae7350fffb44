// The server's side of TLS on one connection, without its socket: encrypted bytes go in and plain ones come out, plain
// ones go in and encrypted ones come out.
//
// It holds one record that is not complete, and what is to be sent until TakeOutput.
//
// Threads: its connection's loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/api/aws/tls_identity.h"

struct ssl_st;

namespace sluice::broker::aws {

class TlsStream {
 public:
  explicit TlsStream(std::shared_ptr<const TlsIdentity> identity);
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Takes what has come. The plain bytes in it; there may be output of TLS itself.
  std::string Receive(std::string_view bytes);
  /// After plain bytes have come.
  void Send(std::string_view plain);
  /// Nothing more is sent: tells the peer so (close_notify).
  void Close();
  /// What is to be sent now; empty where there is nothing.
  std::string TakeOutput();

  /// What came was no TLS, or none that both sides speak: the output may say so, and nothing more is taken.
  bool failed() const { return failed_; }
  /// Both sides have agreed on HTTP/2 (ALPN).
  bool agreed_on_http2() const;
  /// The peer has said that it sends nothing more.
  bool ended() const { return ended_; }

  /// What OpenSSL reads from and writes to.
  struct Pipe {
    std::string_view in;
    std::string out;
  };

 private:
  const std::shared_ptr<const TlsIdentity> identity_;
  Pipe pipe_;
  const std::shared_ptr<ssl_st> ssl_;
  bool failed_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace sluice::broker::aws
