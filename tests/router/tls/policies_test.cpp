#include "router/tls/policies.hpp"

#include <stdexcept>

#include "tests/support/made_certificate.hpp"

using namespace gray;
using namespace gray::tls;
using test::made;

namespace {

std::string extension(std::string_view name, int list = -1, int type = 0, int length = -1) {
  const auto number = [](std::size_t value) {
    return std::string{static_cast<char>(value >> 8), static_cast<char>(value)};
  };
  return number(list < 0 ? name.size() + 3 : static_cast<std::size_t>(list)) + static_cast<char>(type) +
         number(length < 0 ? name.size() : static_cast<std::size_t>(length)) + std::string(name);
}

TlsSecrets secrets_of(std::vector<TlsIdentity> identities) { return {std::move(identities), test::ticket_keys()}; }

}  // namespace

TEST_CASE("the name in a ClientHello") {
  CHECK(server_name(extension("a.example")) == "a.example");
  CHECK(server_name(extension("a", 4, 1)).empty());
  CHECK(server_name(extension("a", 5)).empty());
  CHECK(server_name(extension("a", -1, 0, 2)).empty());
  CHECK(server_name(extension(std::string_view("a\0b", 3))).empty());
  CHECK(server_name("").empty());
  CHECK(server_name("abcd").empty());
  const std::string whole = extension("a.example");
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(server_name(whole.substr(0, i)).empty());
}

TEST_CASE("the host decides, the first one is the default") {
  TlsIdentity guarded = test::identity_of("guarded", made({}), {"guarded.example"});
  guarded.client_auth = ClientAuth::required;
  guarded.client_ca = made({.name = "ca", .ca = true}).pem();
  const Policies policies(secrets_of({test::identity_of("main", made({})), guarded}), {});
  CHECK(policies.guards());
  CHECK(policies.of_host("guarded.example").name == "guarded");
  CHECK(policies.of_host("other.example").name == "main");
  CHECK(policies.of_host("guarded.example").group != policies.of_host("").group);
}

TEST_CASE("hosts that ask for the same proof are of one group") {
  const auto ca = made({.name = "ca", .ca = true}), other_ca = made({.name = "other", .ca = true});
  const auto guarded = [&](const std::string& name, const test::MadeCertificate& by, ClientAuth auth) {
    TlsIdentity one = test::identity_of(name, made({}), {name});
    one.client_auth = auth;
    one.client_ca = by.pem();
    return one;
  };
  const Policies policies(
      secrets_of({guarded("a", ca, ClientAuth::required), guarded("b", ca, ClientAuth::required),
                  guarded("c", other_ca, ClientAuth::required), guarded("d", ca, ClientAuth::optional)}),
      {});
  CHECK(policies.of_host("a").group == policies.of_host("b").group);
  CHECK(policies.of_host("a").group != policies.of_host("c").group);
  CHECK(policies.of_host("a").group != policies.of_host("d").group);
}

TEST_CASE("the names in a certificate take no host away from a table that guards it") {
  TlsIdentity open = test::identity_of("open", made({}), {"guarded.example"});
  open.hosts_given = false;
  TlsIdentity guarded = test::identity_of("guarded", made({}), {"guarded.example"});
  guarded.client_auth = ClientAuth::required;
  guarded.client_ca = made({.name = "ca", .ca = true}).pem();
  CHECK(Policies(secrets_of({open, guarded}), {}).of_host("guarded.example").name == "guarded");
  guarded.hosts_given = false;
  CHECK(Policies(secrets_of({open, guarded}), {}).of_host("guarded.example").name == "guarded");
}

TEST_CASE("what has not changed is not built again") {
  const TlsIdentity main = test::identity_of("main", made({})), other = test::identity_of("other", made({}), {"o"});
  const Policies before(secrets_of({main, other}), {});
  const Policies after(secrets_of({main, test::identity_of("other", made({}), {"o"})}), {}, &before);
  CHECK(&after.of_host("") == &before.of_host(""));
  CHECK(&after.of_host("o") != &before.of_host("o"));
}

TEST_CASE("secrets that cannot be used are refused") {
  CHECK_THROWS_AS(Policies(secrets_of({}), {}), std::runtime_error);
  TlsIdentity broken = test::identity_of("main", made({}));
  broken.key = made({}).key_pem();
  CHECK_THROWS_AS(Policies(secrets_of({broken}), {}), std::runtime_error);
}
