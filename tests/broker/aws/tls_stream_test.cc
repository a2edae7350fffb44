// TLS without a socket: handshakes, what is refused, the end; and the certificate's files.
#include "broker/api/aws/tls_stream.h"

#include <memory>
#include <string>

#include "broker/api/aws/tls_certificate.h"
#include "storage/env/memory_env.h"
#include "tests/broker/aws/tls_peer.h"
#include "tests/catch.h"

namespace sluice::broker::aws {
namespace {

std::shared_ptr<const TlsIdentity> Identity(const TestCertificate& test) {
  auto identity = TlsIdentity::New(test.certificate, test.key);
  REQUIRE(identity.has_value());
  return *identity;
}

/// Passes bytes until nobody has any more. What the server has understood.
std::string Pass(TlsPeer& peer, TlsStream& stream, std::string* to_peer = nullptr) {
  std::string understood;
  while (true) {
    const std::string out = peer.Output();
    if (!out.empty()) understood += stream.Receive(out);
    const std::string back = stream.TakeOutput();
    if (out.empty() && back.empty()) return understood;
    const std::string plain = peer.Receive(back);
    if (to_peer != nullptr) *to_peer += plain;
  }
}

TEST_CASE("TlsStream: a handshake, and bytes both ways", "[aws]") {
  const bool old = GENERATE(false, true);
  const TestCertificate test;
  TlsStream stream(Identity(test));
  TlsPeer peer({.old_version = old});
  CHECK(Pass(peer, stream).empty());
  REQUIRE(peer.connected());
  CHECK(peer.version() == (old ? "TLSv1.2" : "TLSv1.3"));
  CHECK(peer.protocol().empty());
  CHECK(peer.certificate() == test.certificate);
  const std::string large(100'000, 'x');
  peer.Send(large);
  CHECK(Pass(peer, stream) == large);
  stream.Send("answer" + large);
  std::string answer;
  Pass(peer, stream, &answer);
  CHECK(answer == "answer" + large);
  CHECK_FALSE(stream.failed());
}

TEST_CASE("TlsStream: bytes that come one by one", "[aws]") {
  TlsStream stream(Identity({}));
  TlsPeer peer({});
  std::string understood;
  const auto trickle = [&](const std::string& bytes) {
    for (const char byte : bytes) understood += stream.Receive({&byte, 1});
    peer.Receive(stream.TakeOutput());
  };
  while (!peer.connected()) trickle(peer.Output());
  peer.Send("hello");
  trickle(peer.Output());
  CHECK(understood == "hello");
}

TEST_CASE("TlsStream: ALPN prefers HTTP/2, and refuses what it does not know", "[aws]") {
  using Names = std::vector<std::string>;
  const auto [offered, expected] = GENERATE(table<Names, std::string>({{{"h2", "http/1.1"}, "h2"},
                                                                       {{"http/1.1", "h2"}, "h2"},
                                                                       {{"http/1.1"}, "http/1.1"},
                                                                       {{"http/0.9", "http/1.1"}, "http/1.1"},
                                                                       {{"imap"}, ""}}));
  TlsStream stream(Identity({}));
  TlsPeer peer({.protocols = offered});
  Pass(peer, stream);
  CHECK(peer.protocol() == expected);
  CHECK(stream.failed() == expected.empty());
  CHECK(peer.failed() == expected.empty());  // it was told
}

TEST_CASE("TlsStream: what is no TLS fails, and takes nothing more", "[aws]") {
  TlsStream stream(Identity({}));
  CHECK(stream.Receive("POST / HTTP/1.1\r\n\r\n").empty());
  CHECK(stream.failed());
  stream.TakeOutput();
  CHECK(stream.Receive("more").empty());
  stream.Send("x");
  stream.Close();
  CHECK(stream.TakeOutput().empty());
}

TEST_CASE("TlsStream: a changed byte of a record fails, with an alert", "[aws]") {
  TlsStream stream(Identity({}));
  TlsPeer peer({});
  Pass(peer, stream);
  peer.Send("hello");
  std::string record = peer.Output();
  record.back() ^= 1;
  CHECK(stream.Receive(record).empty());
  CHECK(stream.failed());
  peer.Receive(stream.TakeOutput());
  CHECK(peer.failed());
}

TEST_CASE("TlsStream: new keys in the middle", "[aws]") {
  TlsStream stream(Identity({}));
  TlsPeer peer({});
  Pass(peer, stream);
  peer.ChangeKeys();
  peer.Send("a");
  CHECK(Pass(peer, stream) == "a");
  CHECK_FALSE(peer.failed());
}

TEST_CASE("TlsStream: each side says when it ends", "[aws]") {
  TlsStream stream(Identity({}));
  TlsPeer peer({});
  stream.Close();  // before the handshake there is nobody to tell
  CHECK(stream.TakeOutput().empty());
  Pass(peer, stream);
  peer.Send("last");
  peer.Close();
  CHECK(Pass(peer, stream) == "last");
  CHECK(stream.ended());
  CHECK_FALSE(stream.failed());
  stream.Send("answer");
  stream.Close();
  stream.Send("too late");
  std::string answer;
  Pass(peer, stream, &answer);
  CHECK(answer == "answer");
  CHECK(peer.ended());
}

TEST_CASE("TlsIdentity New: a chain is sent whole", "[aws]") {
  const TestCertificate own;
  auto identity = TlsIdentity::New(own.certificate + TestCertificate().certificate, own.key);
  REQUIRE(identity.has_value());
  TlsStream stream(*identity);
  TlsPeer peer({});
  Pass(peer, stream);
  CHECK(peer.certificate() == own.certificate);
  CHECK(peer.chain_size() == 2);
}

TEST_CASE("TlsIdentity New: texts that cannot be used name the setting", "[aws]") {
  const TestCertificate one;
  const TestCertificate other;
  const auto error = [](std::string_view certificate, std::string_view key) {
    const auto identity = TlsIdentity::New(certificate, key);
    REQUIRE_FALSE(identity.has_value());
    CHECK(identity.error().code() == Code::kInvalidArgument);
    return identity.error().message();
  };
  CHECK(error("", one.key).starts_with("aws.tls_certificate is no certificate in PEM"));
  CHECK(error(one.certificate.substr(0, 200), one.key).starts_with("aws.tls_certificate is no certificate in PEM"));
  CHECK(error(one.certificate, one.certificate).starts_with("aws.tls_key is no private key in PEM"));
  CHECK(error(one.certificate, other.key).starts_with("aws.tls_key does not belong to aws.tls_certificate"));
}

TEST_CASE("TlsIdentity New: a key with a password is refused without asking for it", "[aws]") {
  const TestCertificate test;
  const std::string locked =
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAAAAAAAAAAAAAAAAAAAA==\n"
      "-----END EC PRIVATE KEY-----\n";
  const auto identity = TlsIdentity::New(test.certificate, locked);
  REQUIRE_FALSE(identity.has_value());
  CHECK(identity.error().message().starts_with("aws.tls_key is no private key in PEM without a password"));
}

struct Files {
  Files() { Write({}); }
  void Write(const TestCertificate& test) {
    env.WriteByHand("/certificate", test.certificate);
    env.WriteByHand("/key", test.key);
  }
  storage::MemoryEnv env;
  const TlsFiles names{.certificate = "/certificate", .key = "/key"};
};

TEST_CASE("TlsCertificate Current: new files are seen, every other second", "[aws]") {
  Files files;
  const auto certificate = TlsCertificate::Open(files.env, files.names);
  REQUIRE(certificate.has_value());
  const auto first = (*certificate)->Current();
  files.Write({});
  files.env.manual_clock().AdvanceMs(1'999);
  CHECK((*certificate)->Current() == first);
  files.env.manual_clock().AdvanceMs(1);
  const auto second = (*certificate)->Current();
  CHECK(second != first);
  files.env.manual_clock().AdvanceMs(60'000);
  CHECK((*certificate)->Current() == second);
}

TEST_CASE("TlsCertificate Current: keeps the old one while the new one cannot be used", "[aws]") {
  Files files;
  const auto certificate = TlsCertificate::Open(files.env, files.names);
  REQUIRE(certificate.has_value());
  const auto first = (*certificate)->Current();
  const auto current = [&] {
    files.env.manual_clock().AdvanceMs(10'000);
    return (*certificate)->Current();
  };
  const TestCertificate next;
  files.env.WriteByHand("/certificate", next.certificate);  // and not its key yet
  CHECK(current() == first);
  files.env.RemoveByHand("/key");
  CHECK(current() == first);
  files.env.WriteByHand("/key", std::string((1u << 20) + 1, 'x'));
  CHECK(current() == first);
  files.env.WriteByHand("/key", next.key);
  CHECK(current() != first);
}

TEST_CASE("TlsCertificate Open: a missing file names its setting", "[aws]") {
  Files files;
  const bool key = GENERATE(true, false);
  files.env.RemoveByHand(key ? "/key" : "/certificate");
  const auto certificate = TlsCertificate::Open(files.env, files.names);
  REQUIRE_FALSE(certificate.has_value());
  CHECK(certificate.error().message().starts_with(key ? "aws.tls_key: " : "aws.tls_certificate: "));
}

}  // namespace
}  // namespace sluice::broker::aws
