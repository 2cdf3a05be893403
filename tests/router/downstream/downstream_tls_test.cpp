// Connections with TLS, through a whole thread.
#include <doctest/doctest.h>

#include "tests/router/process/rig.hpp"
#include "tests/support/tls_client.hpp"

using namespace gray;
using namespace gray::test;

namespace {

std::shared_ptr<const tls::Policies> policies_of(const MadeCertificate& ca) {
  TlsIdentity guarded = identity_of("guarded", made({.name = "guarded"}), {"guarded.example"});
  guarded.client_auth = ClientAuth::required;
  guarded.client_ca = ca.pem();
  return std::make_shared<const tls::Policies>(
      TlsSecrets{{identity_of("main", made({.name = "main"})), guarded}, ticket_keys()}, tls::Protocols{});
}

/// A client over a socket.
struct SecureWire {
  Wire wire;
  TlsClient tls;
  SecureWire(Wire its_wire, const TlsClient::Options& options) : wire(std::move(its_wire)), tls(options) {}

  std::string receive() const {
    std::array<char, 16'384> bytes;
    const ssize_t count = ::recv(wire.fd(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
  bool handshake() {
    std::string out = tls.handshake();
    while (!tls.complete()) {
      wire.write(out);
      const std::string in = receive();
      if (in.empty()) return false;
      out = tls.handshake(in);
    }
    return wire.write(out);
  }
  std::string ask(const std::string& request) {
    wire.write(tls.encrypt(request));
    std::string clear;
    while (clear.find("\r\n\r\n") == clear.npos) {
      const std::string in = receive();
      if (in.empty()) break;
      clear += tls.decrypt(in);
    }
    return clear;
  }
};

void answer_all(FakeWorker::Call& call) {
  while (call.next()) call.write(kOk);
}

}  // namespace

TEST_CASE("a request over TLS reaches a worker, which is told so") {
  const auto ca = made({.name = "ca", .ca = true});
  FakeWorker worker(answer_all);
  Rig rig({.versions = {{worker.address()}}}, {.policies = policies_of(ca)});
  SecureWire client(rig.dial(), {});
  REQUIRE(client.handshake());
  const std::string answer = client.ask("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Client-Cert: Hash=1\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  REQUIRE(worker.seen().size() == 1);
  CHECK(worker.seen()[0].field("X-Forwarded-Proto") == "https");
  CHECK(worker.seen()[0].field("X-Forwarded-Client-Cert").empty());
}

TEST_CASE("a connection of an open host is not good for a guarded one") {
  const auto ca = made({.name = "ca", .ca = true});
  FakeWorker worker(answer_all);
  Rig rig({.versions = {{worker.address()}}}, {.policies = policies_of(ca)});
  SecureWire client(rig.dial(), {});
  REQUIRE(client.handshake());
  const std::string answer = client.ask("GET / HTTP/1.1\r\nHost: Guarded.example:443\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 421 Misdirected Request\r\n"));
  CHECK(answer.find("X-Gray-Reason: misdirected\r\n") != answer.npos);
}

TEST_CASE("a client without TLS, and one without a certificate, are counted by reason") {
  const auto ca = made({.name = "ca", .ca = true});
  Rig rig({.versions = {}}, {.policies = policies_of(ca)});
  Wire plain = rig.dial();
  plain.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(plain.read_answer().status() == 400);
  SecureWire bare(rig.dial(), {.host = "guarded.example"});
  bare.handshake();
  const auto failures = [&](tls::HandshakeFailure failure) {
    return rig.handshake_failures[static_cast<std::size_t>(failure)].load();
  };
  CHECK(eventually([&] { return failures(tls::HandshakeFailure::client_certificate) == 1; }));
  CHECK(failures(tls::HandshakeFailure::plain_http) == 1);
}
