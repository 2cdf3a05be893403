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
  ServicePolicy policy = policy_of(route, 7);
  policy.threshold = Threshold::of_percent(percent);
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

/// A service with a rule for beta testers, one for a version that must not be chosen, and an allowlist of user 77.
struct TargetedService {
  ServiceRoute route = explained_route();
  targeting::Targets targets;
  std::uint64_t slots[4] = {};
  targeting::AllowlistTable table{slots};
  TargetedService() {
    route.identity.pop_back();
    route.allowlist = {.version = "canary", .count = 1, .digest = 1};
    const std::uint64_t hash = allowlist_hash("77");
    slots[hash & 3] = hash;
    const auto header = [](const char* name, const char* value) {
      return FieldCondition{FieldCondition::Source::header, name, {value}};
    };
    route.rules = {
        {.name = "closed", .version = "v9", .fields = {header("x-beta", "1")}, .paths = {}, .clients = {}},
        {.name = "beta", .version = "v2", .fields = {header("x-beta", "1")}, .paths = {"/b"}, .clients = {}}};
    route.versions[1].targeted = true;
    targets.rules = std::make_shared<const targeting::RuleIndex>(route.rules);
    targets.users = {std::shared_ptr<const void>(), &table};
  }
  Explained explain_at(const http::Request& head, bool able = true) const {
    Trace trace;
    const Choice choice =
        explain(policy_of(route, 7, targets), head, kClient, kClient, [able](std::uint32_t) { return able; }, trace);
    std::erase_if(trace.steps, [](const Step& step) { return step.source < Source::allowlist; });
    return {choice, trace.steps};
  }
};

constexpr auto kList = Source::allowlist;
constexpr auto kRule = Source::rule;

TEST_CASE("the allowlist is a step, and the rules up to the one that chose") {
  const TargetedService service;
  const auto listed = request("/b", {{"Cookie", "uid=77"}, {"X-Beta", "1"}});
  CHECK(service.explain_at(*listed).steps == Steps{{kList, Outcome::listed, "", "", "canary"}});
  CHECK(service.explain_at(*listed).choice.decision == Decision::allowlist);
  CHECK(service.explain_at(*listed, false).steps == Steps{{kList, Outcome::target_down, "", "", "canary"}});
  CHECK(service.explain_at(*listed, false).choice.decision == Decision::fallback);
  const auto beta = request("/b/x", {{"Cookie", "uid=1"}, {"X-Beta", "1"}});
  CHECK(service.explain_at(*beta).steps ==
        Steps{{kList, Outcome::not_listed, "", "", "canary"},
              {kRule, Outcome::no_target, "closed", "header x-beta = 1: 1", "v9"},
              {kRule, Outcome::matches, "beta", "header x-beta = 1: 1, path /b: /b/x", "v2"}});
  CHECK(service.explain_at(*beta, false).steps.back().outcome == Outcome::target_down);
  const auto other = request("/c", {{"X-Beta", "1"}});
  const auto steps = service.explain_at(*other).steps;
  REQUIRE(steps.size() == 4);
  CHECK(steps[0] == Step{kList, Outcome::no_identity, "", "", "canary"});
  CHECK(steps[2] == Step{kRule, Outcome::no_match, "beta", "path /b: /c", "v2"});
  CHECK(steps[3].outcome == Outcome::no_identity);
}

TEST_CASE("an allowlist whose version cannot be chosen, and more rules than can be shown") {
  TargetedService service;
  service.route.canary.reset();
  CHECK(service.explain_at(*request("/", {{"Cookie", "uid=77"}})).steps.front().outcome == Outcome::no_target);
  const Rule beta = service.route.rules.back();
  service.route.rules.assign(kMostRuleSteps + 5, beta);
  service.targets.rules = std::make_shared<const targeting::RuleIndex>(service.route.rules);
  const auto steps = service.explain_at(*request("/c", {{"Cookie", "uid=1"}})).steps;
  REQUIRE(steps.size() == 1 + kMostRuleSteps + 1 + 1);
  CHECK(steps[1 + kMostRuleSteps] == Step{kRule, Outcome::no_match, "", "5 more rules", ""});
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
    path_ =
        "/" + one_of({"", "b", "b/x", "?version=v1", "?version=v2", "?version=", "?version=no", "?x=1&vers%69on=%762"});
    head.path = path_;
    add(head, "X-Version", one_of({"", "v1", "v2", "v3"}), http::Name::other);
    add(head, "Sec-Fetch-Mode", one_of({"", "navigate", "cors"}), http::Name::other);
    add(head, "X-Beta", one_of({"", "", "1", "2"}), http::Name::other);
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
  std::string path_, values_[4];
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
    case Decision::allowlist: return has(kList, Outcome::listed);
    case Decision::rule: return has(kRule, Outcome::matches);
    case Decision::fallback:
      return has(kBucket, Outcome::canary_down) || has(kList, Outcome::target_down) || has(kRule, Outcome::target_down);
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
  const TargetedService targeted;
  for (int i = 0; i < 100'000; ++i) {
    RandomCase random_case(random);
    ServiceRoute route = random_case.table();
    const bool targets = random_case.coin();
    if (targets) {
      route.rules = targeted.route.rules;
      route.allowlist = targeted.route.allowlist;
      route.versions[1].targeted = random_case.coin();
    }
    route.weight = random_case.coin() ? 50 : 100;
    head->fields.count = 0;
    random_case.fill(*head);
    const ServicePolicy policy = policy_of(route, 7, targets ? targeted.targets : targeting::Targets{});
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
    REQUIRE(with.rule == without.rule);
    REQUIRE(with.listed == without.listed);
    REQUIRE(fits(with, trace.steps));
  }
}

}  // namespace
}  // namespace gray::policy
