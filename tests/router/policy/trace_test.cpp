// explain(): the steps of a decision, and that it decides as decide() does.
#include "router/policy/trace.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "router/policy/decision.hpp"
#include "tests/router/policy/request.hpp"

namespace gray::policy {
namespace {

using segment::Decision;

ServiceRoute explained_route() {
  ServiceRoute route;
  route.name = "web";
  route.param = route.cookie = "version";
  route.header = "x-version";
  route.override_from = {*Cidr::parse("10.0.0.0/8")};
  route.identity = {{IdentitySource::Kind::cookie, "uid"}, {IdentitySource::Kind::client_ip, ""}};
  route.salt = "web/v2";
  route.versions.resize(2);
  route.versions[0].name = "v1";
  route.versions[1].name = "v2";
  route.canary = 1;
  return route;
}

struct Explained {
  Choice choice;
  std::vector<Step> steps;
};

Explained explained(const ServiceRoute& route, const http::Request& head, double percent, bool canary_up = true,
                    const Address& peer = kClient) {
  Trace trace;
  const ServicePolicy policy{&route, Threshold::of_percent(percent), 7, NetworkSet(route.override_from)};
  const Choice choice = explain(policy, head, peer, peer, [canary_up](std::uint32_t) { return canary_up; }, trace);
  return {choice, trace.steps};
}

using Steps = std::vector<Step>;
constexpr auto kParam = Source::param;
constexpr auto kHeader = Source::header;
constexpr auto kCookie = Source::cookie;
constexpr auto kIdentity = Source::identity;
constexpr auto kBucket = Source::bucket;

const Step kNoParam{kParam, Outcome::absent, "version", ""}, kNoHeader{kHeader, Outcome::absent, "x-version", ""},
    kNoCookie{kCookie, Outcome::absent, "version", ""}, kNoUid{kIdentity, Outcome::absent, "cookie:uid", ""},
    kAddress{kIdentity, Outcome::found, "client-ip", "192.0.2.7"};

TEST_CASE("the steps name each source that was considered, with its value and what came of it") {
  const ServiceRoute route = explained_route();
  CHECK(explained(route, *request("/?version=v2"), 50).steps ==
        Steps{{kParam, Outcome::named, "version", "v2"}, kNoUid, kAddress});
  CHECK(explained(route, *request("/?version=v9", {{"X-Version", "v2"}, {"Cookie", "version=v1"}}), 50).steps ==
        Steps{{kParam, Outcome::unknown, "version", "v9"},
              {kHeader, Outcome::not_allowed, "x-version", "v2"},
              {kCookie, Outcome::named, "version", "v1"},
              kNoUid,
              kAddress});
  const Address inside = *Address::parse("10.1.2.3:1");
  CHECK(explained(route, *request("/", {{"X-Version", "v2"}}), 50, true, inside).steps ==
        Steps{kNoParam,
              {kHeader, Outcome::named, "x-version", "v2"},
              kNoUid,
              {kIdentity, Outcome::found, "client-ip", "10.1.2.3"}});
  CHECK(explained(route, *request("/", {{"Cookie", "uid=77; version=\"v3\""}}), 0).steps ==
        Steps{kNoParam,
              kNoHeader,
              {kCookie, Outcome::unknown, "version", "v3"},
              {kIdentity, Outcome::found, "cookie:uid", "77"},
              {kBucket, Outcome::outside, "", ""}});
}

TEST_CASE("the step of the bucket says why the user gets the canary, or does not") {
  ServiceRoute route = explained_route();
  const auto bucket = [&](double percent, bool up = true) {
    return explained(route, *request("/", {{"Cookie", "uid=77"}}), percent, up).steps.back();
  };
  CHECK(bucket(100) == Step{kBucket, Outcome::inside, "", ""});
  CHECK(bucket(100, false) == Step{kBucket, Outcome::canary_down, "", ""});
  CHECK(bucket(0) == Step{kBucket, Outcome::outside, "", ""});
  route.canary.reset();
  CHECK(bucket(0) == Step{kBucket, Outcome::no_canary, "", ""});
  route.canary = 1;
  route.identity = {{IdentitySource::Kind::cookie, "other"}};
  CHECK(explained(route, *request("/"), 100).steps == Steps{kNoParam,
                                                            kNoHeader,
                                                            kNoCookie,
                                                            {kIdentity, Outcome::absent, "cookie:other", ""},
                                                            {kBucket, Outcome::no_identity, "", ""}});
}

TEST_CASE("sources that are switched off, a removed pin and an issued identity are steps, too") {
  ServiceRoute route = explained_route();
  route.identity = {{IdentitySource::Kind::issued_cookie, "gid"}};
  const auto removing = request("/?version=", {{"Sec-Fetch-Mode", "navigate"}, {"Cookie", "version=v2"}});
  const auto issued = explained(route, *removing, 0);
  REQUIRE(issued.steps.size() == 5);
  CHECK(issued.steps[0] == kNoParam);
  CHECK(issued.steps[2] == Step{kCookie, Outcome::removed, "version", ""});
  CHECK(issued.steps[3].outcome == Outcome::issued);
  CHECK(issued.steps[3].value == std::string(issued.choice.issued.data(), issued.choice.issued.size()));
  route.param = route.header = route.cookie = "";
  route.identity.clear();
  CHECK(explained(route, *request("/?version=v2"), 0).steps == Steps{{kParam, Outcome::off, "", ""},
                                                                     {kHeader, Outcome::off, "", ""},
                                                                     {kCookie, Outcome::off, "", ""},
                                                                     {kIdentity, Outcome::off, "", ""},
                                                                     {kBucket, Outcome::no_identity, "", ""}});
}

/// A request and a table made of few values, so that all combinations appear.
struct RandomCase {
  explicit RandomCase(std::mt19937& random) : random_(random) {}
  std::string one_of(std::initializer_list<const char*> all) { return all.begin()[random_() % all.size()]; }
  bool coin() { return random_() % 2 == 0; }

  ServiceRoute table() {
    ServiceRoute route = explained_route();
    if (random_() % 8 == 0) route.param.clear();
    if (random_() % 8 == 0) route.header.clear();
    if (random_() % 8 == 0) route.cookie.clear();
    if (coin()) route.override_from = {*Cidr::parse("0.0.0.0/0")};
    if (random_() % 4 == 0) route.canary.reset();
    route.affinity = coin();
    route.pin = coin();
    if (random_() % 3 == 0) route.identity = {{IdentitySource::Kind::cookie, "uid"}};
    if (random_() % 3 == 0) route.identity.push_back({IdentitySource::Kind::issued_cookie, "gid"});
    return route;
  }
  void fill(http::Request& head) {
    path_ = "/" + one_of({"", "?version=v1", "?version=v2", "?version=", "?version=no", "?x=1&vers%69on=%762"});
    head.path = path_;
    add(head, "X-Version", one_of({"", "v1", "v2", "v3"}), http::Name::other);
    add(head, "Sec-Fetch-Mode", one_of({"", "navigate", "cors"}), http::Name::other);
    add(head, "Cookie", one_of({"", "uid=1", "uid=2; version=v1", "version=v2", "uid=; gid=x", "version=no; uid=77"}),
        http::Name::cookie);
  }

 private:
  void add(http::Request& head, std::string_view name, std::string value, http::Name id) {
    if (value.empty()) return;
    std::string& kept = values_[head.fields.count];
    kept = std::move(value);
    head.fields.items[head.fields.count++] = {id, name, kept};
  }
  std::mt19937& random_;
  std::string path_, values_[3];
};

/// What the deciding step must be for a decision.
bool fits(const Choice& choice, const std::vector<Step>& steps) {
  const auto has = [&](Source source, Outcome outcome) {
    return std::ranges::any_of(steps, [=](const Step& s) { return s.source == source && s.outcome == outcome; });
  };
  switch (choice.decision) {
    case Decision::param: return has(kParam, Outcome::named);
    case Decision::header: return has(kHeader, Outcome::named);
    case Decision::cookie: return has(kCookie, Outcome::named);
    case Decision::bucket: return has(kBucket, Outcome::inside);
    case Decision::fallback: return has(kBucket, Outcome::canary_down);
    case Decision::stable:
      return has(kBucket, Outcome::outside) || has(kBucket, Outcome::no_canary) || has(kBucket, Outcome::no_identity);
    default: return false;
  }
}

TEST_CASE("explain() and decide() agree on 100000 random requests and tables, and the steps fit the decision") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto head = std::make_unique<http::Request>();
  for (int i = 0; i < 100'000; ++i) {
    RandomCase random_case(random);
    const ServiceRoute route = random_case.table();
    head->fields.count = 0;
    random_case.fill(*head);
    const ServicePolicy policy{&route, Threshold::of_percent(random_case.coin() ? 50 : 100), 7,
                               NetworkSet(route.override_from)};
    const auto able = [up = random() % 3 != 0](std::uint32_t) { return up; };
    Trace trace;
    const Choice with = explain(policy, *head, kClient, kClient, able, trace);
    const Choice without = decide(policy, *head, kClient, kClient, able);
    CAPTURE(i);
    REQUIRE(with.version == without.version);
    REQUIRE(with.decision == without.decision);
    REQUIRE(with.identity_hash == without.identity_hash);
    REQUIRE(with.identity == without.identity);
    REQUIRE(with.pin == without.pin);
    REQUIRE(with.issues == without.issues);
    REQUIRE(fits(with, trace.steps));
  }
}

}  // namespace
}  // namespace gray::policy
