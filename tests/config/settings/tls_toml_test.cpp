#include "config/settings/tls_toml.hpp"

#include "tests/config/settings/toml_text.hpp"

using namespace gray;
using namespace gray::test;

namespace {

const std::string kListens = "[listen]\nhttps = [\"127.0.0.1:8443\"]\n";

std::string with_tls(const std::string& keys, const std::string& listen = kListens) {
  return kSmallest + listen + "[tls.main]\n" + keys;
}

}  // namespace

TEST_CASE("a certificate is read, with absolute paths") {
  const Settings settings = loaded(with_tls("certificate = \"c.pem\"\nkey = \"/k.pem\"\n"));
  REQUIRE(settings.tls.size() == 1);
  const TlsSettings& one = settings.tls[0];
  CHECK(one.name == "main");
  CHECK(one.certificate.starts_with('/'));
  CHECK(one.certificate.ends_with("/c.pem"));
  CHECK(one.key == "/k.pem");
  CHECK(one.hosts.empty());
  CHECK(one.client_auth == ClientAuth::off);
  REQUIRE(settings.https.size() == 1);
  CHECK(settings.https[0].text() == "127.0.0.1:8443");
}

TEST_CASE("client certificates, hosts in lower case, wildcards") {
  const TlsSettings one =
      loaded(with_tls("certificate = \"c\"\nkey = \"k\"\nhosts = [\"Example.com\", \"*.Example.com\"]\n"
                      "client_auth = \"required\"\nclient_ca = \"ca\"\nclient_crl = \"crl\"\n"))
          .tls[0];
  CHECK(one.hosts == std::vector<std::string>{"example.com", "*.example.com"});
  CHECK(one.client_auth == ClientAuth::required);
  CHECK(one.client_ca.ends_with("/ca"));
  CHECK(one.client_crl.ends_with("/crl"));
}

TEST_CASE("mistakes name the remedy") {
  const auto wrong = [](const std::string& text, const std::string& expected) {
    const std::string said = refused(text).text;
    CHECK_MESSAGE(said.find(expected) != said.npos, said);
  };
  wrong(kSmallest + kListens, "there is no certificate for these addresses: add [tls.main]");
  wrong(with_tls("key = \"k\"\n"), "there is no certificate: name its file in \"certificate\"");
  wrong(with_tls("certificate = \"c\"\n"), "there is no key: name its file in \"key\"");
  wrong(with_tls("certificate = \"c\"\nkey = \"k\"\nclient_auth = \"optional\"\n"), "name the file of their CA");
  wrong(with_tls("certificate = \"c\"\nkey = \"k\"\nclient_auth = \"on\"\n"), "\"on\" is not one of");
  wrong(with_tls("certificate = \"c\"\nkey = \"k\"\nhosts = [\"a.*.example.com\"]\n"), "a host name such as");
  wrong(with_tls("certificate = \"c\"\nkey = \"k\"\nhosts = [\"a\"]\n[tls.b]\ncertificate = \"c\"\nkey = "
                 "\"k\"\nhosts = [\"A\"]\n"),
        "the host \"a\" belongs to tls.main already");
  wrong(with_tls("certificate = \"c\"\nkey = \"k\"\ncerts = 1\n"), "certs");
}

TEST_CASE("a service that needs client certificates needs a host that asks for them") {
  const std::string said = refused(
                               "[service.web]\nstable = \"v1\"\nclient_cert = \"required\"\n"
                               "[service.web.version.v1]\ncommand = [\"x\"]\n")
                               .text;
  CHECK_MESSAGE(said.find("no client is asked for a certificate") != said.npos, said);
}

TEST_CASE("hosts of certificates") {
  CHECK(parse_tls_host("*.a.example") == "*.a.example");
  CHECK(parse_tls_host("A") == "a");
  for (const char* const wrong : {"", "*", "*.", "a:1", "[::1]", "a b", "**.a"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_tls_host(wrong));
  }
  CHECK_FALSE(parse_tls_host(std::string(254, 'a')));
}
