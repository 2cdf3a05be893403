#include "config/shared/tls_secrets.hpp"

#include <doctest/doctest.h>

using namespace gray;

namespace {

TlsSecrets example() {
  TlsSecrets secrets;
  secrets.identities = {{"main", {"example.com"}, true, "C", "K", ClientAuth::optional, "CA", ""}};
  secrets.ticket_keys = {std::string(160, '0'), std::string(160, 'f')};
  return secrets;
}

}  // namespace

TEST_CASE("secrets are read as they were written") {
  std::string error = "an error of before";
  const auto read = tls_secrets_from_json(to_json_text(example()), error);
  REQUIRE(read);
  CHECK(*read == example());
}

TEST_CASE("a text that is not one of secrets is refused, and not repeated") {
  const auto refused = [](const std::string& text) {
    std::string error;
    CHECK_FALSE(tls_secrets_from_json(text, error));
    CHECK_FALSE(error.empty());
    CHECK(error.find("SECRET") == error.npos);
  };
  refused("");
  refused("SECRET");
  refused(R"({"identities": "SECRET", "ticket_keys": []})");
  TlsSecrets none = example();
  none.identities.clear();
  refused(to_json_text(none));
  TlsSecrets keyless = example();
  keyless.ticket_keys.clear();
  refused(to_json_text(keyless));
  TlsSecrets shorter = example();
  shorter.ticket_keys[0].pop_back();
  refused(to_json_text(shorter));
}
