#include "router/policy/identity.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "router/policy/decision.hpp"
#include "router/targeting/pairs.hpp"
#include "tests/router/policy/request.hpp"

namespace gray::policy {
namespace {

constexpr std::uint64_t kSeed = 42;

ServiceRoute issuing() {
  ServiceRoute route;
  route.identity = {*IdentitySource::parse("header:x-user-id"), *IdentitySource::parse("issue:gid")};
  route.salt = "web/v2";
  route.canary = 1;
  route.versions.resize(2);
  return route;
}

struct Found {
  std::string text;
  std::string issue;  // name of the cookie
};

Found find(const ServiceRoute& route, std::initializer_list<NamedValue> fields, const Address& client = kClient,
           std::uint64_t seed = kSeed) {
  IdentityScratch scratch;
  const Identity identity = find_identity(route, request("/", fields)->fields, client, seed, scratch);
  return {std::string(identity.text), identity.issued ? identity.source->name : ""};
}

TEST_CASE("the first source that is present and not empty is the user") {
  ServiceRoute route;
  route.identity = {*IdentitySource::parse("cookie:uid"), *IdentitySource::parse("header:x-user-id"),
                    *IdentitySource::parse("client-ip")};
  CHECK(find(route, {{"X-User-Id", "bob"}, {"Cookie", "uid=alice"}}).text == "alice");
  CHECK(find(route, {{"X-User-Id", "bob"}, {"Cookie", "uid="}}).text == "bob");
  CHECK(find(route, {{"X-User-Id", ""}}).text == "192.0.2.7");
  CHECK(find(route, {}, *Address::parse("[2001:db8::7]:1")).text == "2001:db8::7");
  CHECK(find(route, {}, kUnix).text.empty());
}

TEST_CASE("a text of the address that is known already changes nothing") {
  ServiceRoute by_address;
  by_address.identity = {*IdentitySource::parse("client-ip")};
  for (const ServiceRoute& route : {by_address, issuing()}) {
    for (const Address& client : {kClient, *Address::parse("[2001:db8::7]:1"), kUnix}) {
      IdentityScratch scratch;
      const auto head = request("/", {{"X-Forwarded-For", "198.51.100.1"}});
      const std::string text = client.ip_text();
      const Client known(client, text);
      CHECK(find_identity(route, head->fields, known, kSeed, scratch).text ==
            find(route, {{"X-Forwarded-For", "198.51.100.1"}}, client).text);
    }
  }
}

TEST_CASE("a request without any source is issued an identity, the same for concurrent requests") {
  const ServiceRoute route = issuing();
  const Found first = find(route, {{"User-Agent", "curl/8"}, {"Accept-Language", "de"}});
  CHECK(first.issue == "gid");
  CHECK(first.text.size() == 32);
  CHECK(first.text.find_first_not_of("0123456789abcdef") == std::string::npos);
  const Found parallel = find(route, {{"accept-language", "de"}, {"Accept", "*/*"}, {"user-agent", "curl/8"}});
  CHECK(parallel.text == first.text);
  CHECK(find(route, {}).text == find(route, {}, *Address::parse("192.0.2.7:9")).text);
}

TEST_CASE("an issued identity is a hash of address, User-Agent, Accept-Language and the seed") {
  const ServiceRoute route = issuing();
  const std::set<std::string> different = {
      find(route, {}).text,
      find(route, {{"User-Agent", "a"}}).text,
      find(route, {{"Accept-Language", "a"}}).text,
      find(route, {{"User-Agent", "ab"}}).text,
      find(route, {{"User-Agent", "a"}, {"Accept-Language", "b"}}).text,
      find(route, {}, *Address::parse("192.0.2.8:4000")).text,
      find(route, {}, *Address::parse("[2001:db8::7]:4000")).text,
      find(route, {}, kClient, kSeed + 1).text,
  };
  CHECK(different.size() == 8);
}

TEST_CASE("X-Forwarded-For distinguishes clients behind a unix socket, but not those with an address") {
  const ServiceRoute route = issuing();
  const std::string one = find(route, {{"X-Forwarded-For", "198.51.100.1"}}, kUnix).text;
  CHECK(one != find(route, {{"X-Forwarded-For", "198.51.100.2"}}, kUnix).text);
  CHECK(one == find(route, {{"X-Forwarded-For", "198.51.100.1"}}, kUnix).text);
  CHECK(find(route, {}, kUnix).text.size() == 32);
  CHECK(find(route, {{"X-Forwarded-For", "198.51.100.1"}}).text == find(route, {}).text);
}

TEST_CASE("a request with the cookie is never issued a new one, whatever its value") {
  const ServiceRoute route = issuing();
  for (const std::string& value : {std::string("0123456789abcdef0123456789abcdef"), std::string("no hex at all"),
                                   std::string("7"), std::string(300, 'x'), std::string(30'000, 'y')}) {
    const std::string cookie = "gid=" + value;
    const Found found = find(route, {{"Cookie", cookie}});
    CHECK(found.text == value);
    CHECK(found.issue.empty());
  }
  CHECK(find(route, {{"Cookie", "gid="}}).issue == "gid");
  CHECK(find(route, {{"Cookie", "xgid=1; gidx=1"}}).issue == "gid");
  CHECK(find(route, {{"X-User-Id", "bob"}}).issue.empty());
}

TEST_CASE("a cookie is found among others by its whole name, and only among the first of them") {
  const auto value = [](const std::string& cookies) {
    const auto found = cookie_value(request("/", {{"Cookie", cookies}})->fields, "uid");
    return found ? std::optional<std::string>(*found) : std::nullopt;
  };
  CHECK(value("uid=1; uid=2") == "1");
  CHECK(value("uidx=1;\tuid=\"2\" ;uid=3") == "2");
  CHECK(value("xuid=1; x=uid=2; uid; uid =3; =uid; ;;uid=") == "");
  CHECK_FALSE(value("UID=1; uid =2; x=uid=3").has_value());
  CHECK_FALSE(value(std::string(30'000, 'u')).has_value());
  CHECK_FALSE(value(std::string(30'000, ';')).has_value());
  std::string before;
  for (std::size_t i = 1; i < targeting::kMaxPairs; ++i) before += "a=1;";
  CHECK(value(before + "uid=1") == "1");
  CHECK_FALSE(value(before + "a=1;uid=1").has_value());
}

TEST_CASE("the decision hashes the value that is set, so the next request is decided alike") {
  const ServiceRoute route = issuing();
  const ServicePolicy policy{&route, Threshold::of_percent(50), kSeed};
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 2'000; ++i) {
    const std::string agent = "agent " + std::to_string(random());
    const Choice first = decide(policy, *request("/", {{"User-Agent", agent}}), kClient, kClient, kAllUp);
    REQUIRE(first.issues);
    REQUIRE(first.identity == &route.identity[1]);
    const std::string value(first.issued.data(), first.issued.size());
    REQUIRE(first.identity_hash == bucket_hash(route.salt, value));
    const std::string cookie = "gid=" + value;
    const Choice next =
        decide(policy, *request("/", {{"User-Agent", agent}, {"Cookie", cookie}}), kClient, kClient, kAllUp);
    REQUIRE_FALSE(next.issues);
    REQUIRE(next.identity == &route.identity[1]);
    REQUIRE(next.version == first.version);
    REQUIRE(next.identity_hash == first.identity_hash);
  }
}

TEST_CASE("the canary gets its share of issued identities: 5 percent of 100000 clients") {
  const ServiceRoute route = issuing();
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  const ServicePolicy policy{&route, Threshold::of_percent(5), seed};
  const auto head = request("/", {{"User-Agent", "Mozilla/5.0"}, {"Accept-Language", "en"}});
  constexpr int kClients = 100'000;
  int canary = 0;
  for (int i = 0; i < kClients; ++i) {
    Address client = kClient;
    for (int byte = 0; byte < 4; ++byte) client.ip[byte] = static_cast<std::uint8_t>(i >> (8 * byte));
    canary += decide(policy, *head, client, client, kAllUp).version == 1 ? 1 : 0;
  }
  CHECK(canary >= 4'700);
  CHECK(canary <= 5'300);
}

TEST_CASE("a cookie is found by its exact name over all Cookie fields, the first one counts") {
  const auto value_of = [](std::initializer_list<NamedValue> fields, std::string_view name) {
    return cookie_value(request("/", fields)->fields, name);
  };
  CHECK(value_of({{"Cookie", "a=1; b=2"}}, "b") == "2");
  CHECK(value_of({{"Cookie", "b=1; b=2"}, {"Cookie", "b=3"}}, "b") == "1");
  CHECK(value_of({{"Cookie", "a=1"}, {"cookie", "b=3"}}, "b") == "3");
  CHECK(value_of({{"Cookie", "a=1;b=2"}}, "b") == "2");
  CHECK(value_of({{"Cookie", "\tb=2 ; c"}}, "b") == "2");
  CHECK(value_of({{"Cookie", "b=\"x y\""}}, "b") == "x y");
  CHECK(value_of({{"Cookie", "b=\""}}, "b") == "\"");
  CHECK(value_of({{"Cookie", "b=1=2"}}, "b") == "1=2");
  CHECK(value_of({{"Cookie", "b="}}, "b") == "");
  CHECK_FALSE(value_of({{"Cookie", "B=1; ab=1; b; bb=2; ;; =b"}}, "b").has_value());
  CHECK_FALSE(value_of({{"X-Cookie", "b=1"}}, "b").has_value());
  CHECK_FALSE(value_of({}, "b").has_value());
}

}  // namespace
}  // namespace gray::policy
