// The client's side of TLS without a socket, for the tests of the server's; and one with a socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/broker/aws/http_client.h"

namespace sluice::broker::aws {

class TlsPeer {
 public:
  struct Options {
    std::vector<std::string> protocols{};  // offered by ALPN
    bool old_version = false;              // TLS 1.2, else 1.3
  };

  explicit TlsPeer(const Options& options);
  ~TlsPeer();

  /// What is to be sent now.
  std::string Output();
  /// The plain bytes in it.
  std::string Receive(std::string_view bytes);
  void Send(std::string_view plain);
  /// Asks for new keys of both sides, which the server must answer (TLS 1.3).
  void ChangeKeys();
  void Close();

  bool connected() const;
  bool failed() const;
  /// The server has sent its close_notify.
  bool ended() const;
  std::string version() const;
  /// What ALPN chose; empty: nothing.
  std::string protocol() const;
  /// The server's, in PEM.
  std::string certificate() const;
  /// How many certificates it has sent.
  int chain_size() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Sends and receives through TLS.
class TlsClient : public HttpClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsPeer::Options& options = {});

  void Send(std::string_view plain) override;
  std::string ReceiveSome() override;
  TlsPeer& peer() { return peer_; }

 private:
  TlsPeer peer_;
  std::string ahead_;  // came with the end of the handshake
};

/// A certificate and its key, in PEM, new at each call.
struct TestCertificate {
  TestCertificate();
  std::string certificate;
  std::string key;
};

}  // namespace sluice::broker::aws
