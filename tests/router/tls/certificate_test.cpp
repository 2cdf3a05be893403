#include "router/tls/certificate.hpp"

#include <ctime>

#include "tests/support/made_certificate.hpp"

using namespace gray;
using namespace gray::tls;
using test::made;

namespace {

std::string fault_of(const TlsIdentity& identity) {
  try {
    check(identity, std::time(nullptr));
    return "none";
  } catch (const BadPem& bad) {
    return std::to_string(static_cast<int>(bad.file)) + ": " + bad.what();
  }
}

}  // namespace

TEST_CASE("a good pair is accepted, and its names are known") {
  const auto one = made({.name = "x", .alternatives = "DNS:A.example,DNS:*.b.example,IP:127.0.0.1"});
  const auto facts = check(test::identity_of("main", one), std::time(nullptr));
  CHECK(facts.names == std::vector<std::string>{"a.example", "*.b.example"});
  CHECK(facts.not_after > std::time(nullptr));
  CHECK(check(test::identity_of("main", made({.name = "only.example"})), std::time(nullptr)).names ==
        std::vector<std::string>{"only.example"});
}

TEST_CASE("a pair that clients could not use is refused, with the file and why") {
  const auto one = made({}), other = made({});
  TlsIdentity identity = test::identity_of("main", one);
  CHECK(fault_of(identity) == "none");
  identity.key = other.key_pem();
  CHECK(fault_of(identity) == "1: it is not the key of the certificate");
  identity.key = one.key_pem().substr(0, 60);
  CHECK(fault_of(identity).starts_with("1: the private key cannot be read"));
  identity.key = "";
  CHECK(fault_of(identity) == "1: it contains no private key (PEM)");
  identity = test::identity_of("main", one);
  identity.certificate = one.pem().substr(0, 200);
  CHECK(fault_of(identity).starts_with("0: "));
  identity.certificate = one.pem() + one.pem().substr(0, 200);
  CHECK(fault_of(identity).starts_with("0: a certificate in it cannot be read"));
  identity.certificate = "nothing";
  CHECK(fault_of(identity) == "0: it contains no certificate (PEM)");
  CHECK(fault_of(test::identity_of("main", made({.from = -200, .to = -100}))).starts_with("0: it expired at "));
  CHECK(fault_of(test::identity_of("main", made({.from = 100, .to = 200}))).starts_with("0: it is valid only from "));
}

TEST_CASE("CA and revocation list of clients are checked if they are used") {
  const auto ca = made({.name = "ca", .ca = true});
  TlsIdentity identity = test::identity_of("main", made({}));
  identity.client_ca = "nothing";
  CHECK(fault_of(identity) == "none");
  identity.client_auth = ClientAuth::required;
  CHECK(fault_of(identity) == "2: it contains no certificate (PEM)");
  identity.client_ca = ca.pem();
  CHECK(fault_of(identity) == "none");
  identity.client_crl = "nothing";
  CHECK(fault_of(identity) == "3: it contains no revocation list (PEM)");
  identity.client_crl = test::revocations(ca, {});
  CHECK(fault_of(identity) == "none");
  identity.client_crl = test::revocations(ca, {}, -100);
  CHECK(fault_of(identity).starts_with("3: it expired at "));
}
