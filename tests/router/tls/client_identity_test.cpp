#include "router/tls/client_identity.hpp"

#include "tests/support/made_certificate.hpp"

using namespace gray;

TEST_CASE("the identity names hash, subject, URIs and DNS names") {
  const auto one = test::made({.name = "a user", .alternatives = "DNS:a.example,DNS:b.example,URI:spiffe://a/b"});
  const std::string text = tls::identity_text(one.certificate.get());
  CHECK(text.starts_with("Hash="));
  CHECK(text.find(';') == 5 + 64);
  CHECK(text.substr(5 + 64) == ";Subject=\"CN=a user\";DNS=a.example;DNS=b.example;URI=spiffe://a/b");
}

TEST_CASE("no value can add a pair or a field") {
  CHECK(tls::quoted("plain") == "plain");
  CHECK(tls::quoted("") == "\"\"");
  CHECK(tls::quoted("a;b") == "\"a;b\"");
  CHECK(tls::quoted("a,b=\"c\"\\") == "\"a,b=\\\"c\\\"\\\\\"");
  CHECK(tls::quoted("a\r\nb") == "a??b");
  CHECK(tls::quoted(std::string("a\0b", 3)) == "a?b");
}

TEST_CASE("a certificate with many names gives a bounded text") {
  std::string names = "DNS:a.example";
  for (int i = 0; i < 400; ++i) names += ",DNS:host-" + std::to_string(i) + ".example";
  const auto one = test::made({.name = "many", .alternatives = names});
  CHECK(tls::identity_text(one.certificate.get()).size() <= tls::kMaxIdentity);
}
