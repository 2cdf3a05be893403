// A session against a client of OpenSSL, without sockets: every byte is passed by hand.
#include "router/tls/session.hpp"

#include <utility>

#include "tests/support/tls_client.hpp"

using namespace gray;
using namespace gray::tls;
using test::Gathered;
using test::made;
using test::TlsClient;
using State = engine::Transform::State;

namespace {

constexpr std::string_view kH1 = "\x08http/1.1", kH2ThenH1 = "\x02h2\x08http/1.1", kOther = "\x05other";

struct Server {
  test::MadeCertificate ca = made({.name = "ca", .ca = true});
  test::MadeCertificate user = made({.name = "user", .by = &ca}), stranger = made({.name = "user"});
  engine::MemoryBudget memory{64 << 20};
  std::vector<std::string> keys = test::ticket_keys();
  Protocols protocols{};
  std::shared_ptr<const Policies> policies = make();

  std::shared_ptr<const Policies> make() const {
    TlsIdentity guarded = test::identity_of("guarded", made({.name = "guarded"}), {"guarded.example"});
    guarded.client_auth = ClientAuth::required;
    guarded.client_ca = ca.pem();
    guarded.client_crl = test::revocations(ca, {});
    TlsIdentity asking = test::identity_of("asking", made({.name = "asking"}), {"asking.example"});
    asking.client_auth = ClientAuth::optional;
    asking.client_ca = ca.pem();
    return std::make_shared<const Policies>(
        TlsSecrets{{test::identity_of("main", made({.name = "main"})), guarded, asking}, keys}, protocols);
  }
};

/// A session with what it has said.
struct Talk {
  explicit Talk(Server& server) : session(server.policies, server.memory) {}
  Session session;
  Gathered sink;
  std::string clear;
  State state = State::handshake;

  void receive(std::string_view bytes, std::size_t at_once = 64 * 1024) {
    std::vector<char> room(64 * 1024 + engine::Transform::kMaxKept);
    while (!bytes.empty()) {
      const auto received = session.receive(bytes.substr(0, at_once), room, sink);
      clear.append(room.data(), received.clear);
      state = received.state;
      bytes.remove_prefix(std::min(at_once, bytes.size()));
    }
  }
  std::string take() { return std::exchange(sink.bytes, {}); }
  /// Until both are done or the server has failed.
  bool meets(TlsClient& client, std::size_t at_once = 64 * 1024) {
    std::string to_server = client.handshake();
    for (int i = 0; i < 5 && state != State::failed; ++i) {
      receive(to_server, at_once);
      to_server = client.handshake(take());
      if (session.open() && client.complete() && to_server.empty()) break;
    }
    client.decrypt({});  // a ticket
    return session.open() && client.complete();
  }
};

std::string certificate_name(TlsClient& client) {
  char name[100] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl())), NID_commonName, name, 100);
  return name;
}

}  // namespace

TEST_CASE_FIXTURE(Server, "a handshake, data in both directions, and the end") {
  for (const int version : {0, TLS1_2_VERSION}) {
    CAPTURE(version);
    Talk talk(*this);
    CHECK_FALSE(talk.session.begun());
    TlsClient client({.version = version});
    REQUIRE(talk.meets(client));
    CHECK(certificate_name(client) == "main");
    CHECK(talk.session.policy().name == "main");
    CHECK_FALSE(talk.session.verified());
    talk.receive(client.encrypt("hello"));
    CHECK(talk.clear == "hello");
    REQUIRE(talk.session.send("answer", talk.sink));
    CHECK(client.decrypt(talk.take()) == "answer");
    talk.session.finish(talk.sink);
    client.decrypt(talk.take());
    CHECK(client.ended);
    talk.receive(client.finish());
    CHECK(talk.state == State::ended);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE_FIXTURE(Server, "bytes may come in any pieces") {
  for (const std::size_t size : {1, 2, 3, 7, 100, 1'000}) {
    CAPTURE(size);
    Talk talk(*this);
    TlsClient client;
    REQUIRE(talk.meets(client, size));
    const std::string body(40'000, 'x');
    talk.receive(client.encrypt(body), size);
    CHECK(talk.clear == body);
  }
}

TEST_CASE_FIXTURE(Server, "the first records are small, the later ones are large") {
  Talk talk(*this);
  TlsClient client;
  REQUIRE(talk.meets(client));
  const std::string body(200'000, 'y');
  REQUIRE(talk.session.send(body, talk.sink));
  const std::string sent = talk.take();
  std::size_t records = 0, largest_first = 0, largest = 0, at = 0, clear = 0;
  while (at < sent.size()) {
    const std::size_t length = static_cast<unsigned char>(sent[at + 3]) << 8 | static_cast<unsigned char>(sent[at + 4]);
    if (clear < 60'000) largest_first = std::max(largest_first, length);
    largest = std::max(largest, length);
    clear += length;
    at += 5 + length;
    ++records;
  }
  CHECK(largest_first < 4'200);
  CHECK(largest > 16'000);
  CHECK(client.decrypt(sent) == body);
}

TEST_CASE_FIXTURE(Server, "no clear byte comes out before the handshake is complete") {
  Talk talk(*this);
  talk.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(talk.state == State::failed);
  CHECK(talk.clear.empty());
  CHECK(talk.session.failure() == HandshakeFailure::plain_http);
  CHECK(talk.take().starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_CASE("the answer to plain HTTP has the length that it names") {
  const std::size_t end = kPlainHttpAnswer.find("\r\n\r\n");
  REQUIRE(end != kPlainHttpAnswer.npos);
  const std::string length = std::to_string(kPlainHttpAnswer.size() - end - 4);
  CHECK(kPlainHttpAnswer.find("Content-Length: " + length + "\r\n") != kPlainHttpAnswer.npos);
}

TEST_CASE_FIXTURE(Server, "what is not TLS, and what offers nothing that we have, fails with its reason") {
  const auto failure_with = [&](TlsClient client) {
    Talk talk(*this);
    CHECK_FALSE(talk.meets(client));
    return talk.session.failure();
  };
  Talk garbage(*this);
  garbage.receive(std::string(100, 'x'));
  CHECK(garbage.session.failure() == HandshakeFailure::not_tls);
  CHECK(failure_with(TlsClient({.version = TLS1_1_VERSION})) != HandshakeFailure::none);
  CHECK(failure_with(TlsClient({.protocols = std::string(kOther)})) == HandshakeFailure::no_shared_protocol);
}

TEST_CASE_FIXTURE(Server, "ALPN picks http/1.1, and h2 only if it is on") {
  const auto speaks_h2 = [&] {
    Talk talk(*this);
    TlsClient client({.protocols = std::string(kH2ThenH1)});
    REQUIRE(talk.meets(client));
    return talk.session.speaks_h2();
  };
  CHECK_FALSE(speaks_h2());
  protocols.h2 = true;
  policies = make();
  CHECK(speaks_h2());
  Talk talk(*this);
  TlsClient client({.protocols = std::string(kH1)});
  CHECK(talk.meets(client));
  CHECK_FALSE(talk.session.speaks_h2());
}

TEST_CASE_FIXTURE(Server, "a host that requires a client certificate gets one, or the handshake fails") {
  const auto meets = [&](const test::MadeCertificate* certificate, int version) {
    Talk talk(*this);
    TlsClient client({.host = "guarded.example", .certificate = certificate, .version = version});
    const bool met = talk.meets(client);
    if (met) CHECK(talk.session.identity().find("Subject=\"CN=user\"") != std::string::npos);
    if (!met) CHECK(talk.session.failure() == HandshakeFailure::client_certificate);
    return met && talk.session.verified();
  };
  for (const int version : {0, TLS1_2_VERSION}) {
    CAPTURE(version);
    CHECK(meets(&user, version));
    CHECK_FALSE(meets(nullptr, version));
    CHECK_FALSE(meets(&stranger, version));
  }
}

TEST_CASE_FIXTURE(Server, "a revoked or expired client certificate is refused") {
  const auto expired = made({.name = "user", .from = -200, .to = -100, .by = &ca});
  TlsIdentity guarded = test::identity_of("guarded", made({.name = "guarded"}));
  guarded.client_auth = ClientAuth::required;
  guarded.client_ca = ca.pem();
  guarded.client_crl = test::revocations(ca, {&user});
  policies = std::make_shared<const Policies>(TlsSecrets{{guarded}, keys}, protocols);
  for (const test::MadeCertificate* const one : std::initializer_list<const test::MadeCertificate*>{&user, &expired}) {
    Talk talk(*this);
    TlsClient caller({.certificate = one});
    CHECK_FALSE(talk.meets(caller));
    CHECK(talk.session.failure() == HandshakeFailure::client_certificate);
  }
}

TEST_CASE_FIXTURE(Server, "a host that only asks is open to clients without a certificate") {
  Talk without(*this), with(*this), wrong(*this);
  TlsClient none({.host = "asking.example"}), good({.host = "asking.example", .certificate = &user}),
      bad({.host = "asking.example", .certificate = &stranger});
  CHECK(without.meets(none));
  CHECK_FALSE(without.session.verified());
  CHECK(with.meets(good));
  CHECK(with.session.verified());
  CHECK_FALSE(wrong.meets(bad));
}

TEST_CASE_FIXTURE(Server, "a session is resumed with every key, also in another process, until the key is gone") {
  Talk talk(*this);
  TlsClient first;
  REQUIRE(talk.meets(first));
  REQUIRE(first.ticket);
  const auto resumes = [&](const std::vector<std::string>& with) {
    keys = with;
    policies = make();
    Talk again(*this);
    // Else OpenSSL takes a session as bad whose connection was not ended in order.
    const std::shared_ptr<SSL_SESSION> copy(SSL_SESSION_dup(first.ticket.get()), SSL_SESSION_free);
    TlsClient client({.resume = copy.get()});
    REQUIRE(again.meets(client));
    return SSL_session_reused(client.ssl()) == 1;
  };
  CHECK(resumes(test::ticket_keys()));
  CHECK(resumes({std::string(160, 'c'), test::ticket_keys()[0], std::string(160, 'd')}));
  CHECK_FALSE(resumes({std::string(160, 'c'), std::string(160, 'd')}));
}

TEST_CASE_FIXTURE(Server, "a ticket of an open host does not open a guarded one") {
  for (const int version : {0, TLS1_2_VERSION}) {
    CAPTURE(version);
    Talk open(*this);
    TlsClient first({.host = "other.example", .version = version});
    REQUIRE(open.meets(first));
    SSL_SESSION* const session = version == 0 ? first.ticket.get() : SSL_get_session(first.ssl());
    REQUIRE(session != nullptr);
    Talk guarded(*this);
    TlsClient second({.host = "guarded.example", .version = version, .resume = session});
    CHECK_FALSE(guarded.meets(second));
    CHECK(guarded.session.failure() == HandshakeFailure::client_certificate);
  }
}

TEST_CASE_FIXTURE(Server, "a guarded host gives no ticket") {
  Talk talk(*this);
  TlsClient caller({.host = "guarded.example", .certificate = &user});
  REQUIRE(talk.meets(caller));
  talk.session.send("x", talk.sink);
  caller.decrypt(talk.take());
  CHECK_FALSE(caller.ticket);
}

TEST_CASE_FIXTURE(Server, "odd names get the default certificate") {
  for (const std::string& name : {std::string(), std::string("x"), std::string(255, 'a')}) {
    Talk talk(*this);
    TlsClient caller({.host = name});
    CHECK(talk.meets(caller));
    CHECK(talk.session.policy().name == "main");
  }
}

TEST_CASE_FIXTURE(Server, "a client that sends key updates without end is cut off") {
  Talk talk(*this);
  TlsClient caller;
  REQUIRE(talk.meets(caller));
  for (int i = 0; i < 2'000 && talk.state != State::failed; ++i) {
    SSL_key_update(caller.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    SSL_do_handshake(caller.ssl());
    talk.receive(caller.to_send());
  }
  CHECK(talk.state == State::failed);
}

TEST_CASE_FIXTURE(Server, "a broken record ends the session") {
  Talk talk(*this);
  TlsClient caller;
  REQUIRE(talk.meets(caller));
  std::string record = caller.encrypt("hello");
  record.back() ^= 1;
  talk.receive(record);
  CHECK(talk.state == State::failed);
  CHECK(talk.clear.empty());
}

TEST_CASE_FIXTURE(Server, "what a connection holds is in the budget") {
  {
    Talk talk(*this);
    CHECK(memory.used() == 0);
    TlsClient caller;
    talk.receive(caller.handshake());
    CHECK(memory.used() >= 40 * 1024);
    caller.handshake(talk.take());
  }
  CHECK(memory.used() == 0);
}
