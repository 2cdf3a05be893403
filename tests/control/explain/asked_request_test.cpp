#include "control/explain/asked_request.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

using policy::Outcome;
using segment::Decision;

RoutingTable asked_table() {
  ServiceRoute web;
  web.name = "web";
  web.hosts = {"example.com"};
  web.param = web.cookie = "version";
  web.header = "x-version";
  web.override_from = {*Cidr::parse("10.0.0.0/8")};
  web.identity = {{IdentitySource::Kind::cookie, "uid"}, {IdentitySource::Kind::client_ip, ""}};
  web.salt = "web/v2";
  web.canary = 1;
  web.weight = 20;
  web.versions = {{.row = 0, .name = "v1", .workers = {{}}}, {.row = 1, .name = "v2", .workers = {{}}}};
  ServiceRoute other;
  other.name = "other";
  other.paths = {"/other"};
  other.versions = {{.row = 2, .name = "only", .workers = {}}};
  return {9, {web, other}, 5};
}

Settings asked_settings() {
  Settings settings;
  settings.router.trusted_proxies = {*Cidr::parse("10.0.0.0/8")};
  settings.router.trusts_unix_peers = true;
  return settings;
}

Explanation explain_asked(const AskedRequest& asked, const RoutingTable& table = asked_table()) {
  auto result = explain_request(table, asked_settings(), asked);
  REQUIRE(std::holds_alternative<Explanation>(result));
  return std::get<Explanation>(std::move(result));
}

std::string error_of(const AskedRequest& asked) {
  auto result = explain_request(asked_table(), asked_settings(), asked);
  return std::holds_alternative<std::string>(result) ? std::get<std::string>(result) : "";
}

TEST_CASE("a described request is routed and decided like a real one") {
  const auto it = explain_asked({.host = "Example.com:8000", .path = "/x?y=1", .headers = "Cookie: uid=3\n"});
  CHECK(it.service == "web");
  CHECK(it.table == 9);
  CHECK(it.version == "v1");
  CHECK(it.decision == Decision::stable);
  CHECK(it.user->source == "cookie:uid");
  CHECK(it.user->text == "3");
  CHECK(it.user->hash == 0xcb3095bdf87a4469);
  CHECK(it.salt == "web/v2");
  CHECK(it.canary == "v2");
  CHECK_FALSE(it.down);
  CHECK(summary_of(it) == "cookie uid=3 → bucket 79.4 % ≥ 20 % → stable v1");
  CHECK(explain_asked({.host = "example.com", .headers = "Cookie: uid=1"}).decision == Decision::bucket);
  CHECK(explain_asked({.host = "example.com", .path = "/?version=v2"}).decision == Decision::param);
}

TEST_CASE("a service may be named, or is picked by host and path; without one nothing is decided") {
  CHECK(explain_asked({.path = "/other/x"}).service == "other");
  CHECK(explain_asked({.path = "/", .service = "web"}).service == "web");
  CHECK(explain_asked({.path = "/"}).service.empty());
  CHECK(explain_asked({.path = "/", .service = "gone"}).service.empty());
}

TEST_CASE("whether a version can serve is seen in the table") {
  RoutingTable table = asked_table();
  table.services[0].versions[1].workers.clear();
  CHECK(explain_asked({.host = "example.com", .headers = "Cookie: uid=1"}, table).decision == Decision::fallback);
  const auto named = explain_asked({.host = "example.com", .path = "/?version=v2"}, table);
  CHECK(named.version == "v2");
  CHECK(named.down);
  CHECK(explain_asked({.path = "/other"}).down);
}

TEST_CASE("the client is the peer, and behind a trusted proxy whom it names") {
  const auto direct = explain_asked(
      {.host = "example.com", .headers = "X-Version: v2\nX-Forwarded-For: 192.0.2.9\n", .client = "192.0.2.1"});
  CHECK(direct.decision != Decision::header);
  CHECK(direct.user->text == "192.0.2.1");
  CHECK(words_of(direct.steps[1], direct).text == "x-version: v2, does not count: 192.0.2.1 is not in override_from");
  const auto behind = explain_asked(
      {.host = "example.com", .headers = "X-Version: v2\nX-Forwarded-For: 192.0.2.9\n", .client = "10.0.0.1"});
  CHECK(behind.decision == Decision::header);
  CHECK(behind.user->text == "192.0.2.9");
  CHECK(explain_asked({.host = "example.com", .client = "::1"}).user->text == "::1");
  const auto local = explain_asked({.host = "example.com", .headers = "X-Version: v2", .client = "unix"});
  CHECK(local.decision == Decision::header);
  CHECK_FALSE(local.user);
}

TEST_CASE("rules and the allowlist decide, as in a router") {
  RoutingTable table = asked_table();
  ServiceRoute& web = table.services[0];
  web.rules = {{.name = "beta", .version = "v2", .fields = {}, .paths = {"/beta"}, .clients = {}}};
  web.versions[1].targeted = true;
  Settings settings = asked_settings();
  settings.services.resize(1);
  settings.services[0].name = "web";
  auto& list = settings.services[0].allowlist_source.table;
  list = std::make_shared<const Allowlist>(std::vector<std::uint64_t>{allowlist_hash("77")});
  web.allowlist = {.version = "canary", .count = list->count(), .digest = list->digest()};
  const auto asked = [&](const AskedRequest& request) {
    return std::get<Explanation>(explain_request(table, settings, request));
  };
  const auto ruled = asked({.host = "example.com", .path = "/beta/x", .headers = "Cookie: uid=3"});
  CHECK(ruled.decision == Decision::rule);
  CHECK(ruled.rule == "beta");
  CHECK(summary_of(ruled) == "rule beta → canary v2");
  const auto listed = asked({.host = "example.com", .path = "/", .headers = "Cookie: uid=77"});
  CHECK(listed.decision == Decision::allowlist);
  CHECK(summary_of(listed) == "cookie uid=77 → allowlist → canary v2");
  web.versions[1].workers.clear();
  CHECK(summary_of(asked({.host = "example.com", .headers = "Cookie: uid=77"})) ==
        "cookie uid=77 → allowlist → canary has no usable worker → stable v1");
}

TEST_CASE("a request for a file of a page is marked") {
  CHECK(explain_asked({.host = "example.com", .headers = "Sec-Fetch-Dest: script"}).asset);
  CHECK_FALSE(explain_asked({.host = "example.com", .headers = "Sec-Fetch-Dest: document"}).asset);
}

TEST_CASE("errors: no address, and a request that is refused before it is routed") {
  CHECK(error_of({.client = "localhost"}) == "the client must be an IP address, or \"unix\", not \"localhost\"");
  CHECK(error_of({.headers = "no colon"}).starts_with("such a request gets 400 (P"));
  CHECK(error_of({.path = "x y"}).starts_with("such a request gets 400 (P"));
  CHECK(error_of({.method = "G(T"}).starts_with("such a request gets "));
  CHECK(error_of({.host = "a\r\nHost: b"}).starts_with("such a request gets 400 (P"));
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "X: 1\n";
  CHECK(error_of({.headers = many}).starts_with("such a request gets 431"));
}

TEST_CASE("arguments of the verb") {
  const auto asked = AskedRequest::of({{"path", "/x"}, {"client", "::1"}, {"headers", "A: b\n"}, {"service", "web"}});
  CHECK(asked.method == "GET");
  CHECK(asked.host == "localhost");
  CHECK(asked.path == "/x");
  CHECK(asked.client == "::1");
  CHECK(asked.headers == "A: b\n");
  CHECK(asked.service == "web");
}

}  // namespace
}  // namespace gray::control
