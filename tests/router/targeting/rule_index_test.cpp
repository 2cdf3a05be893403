#include "router/targeting/rule_index.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "router/targeting/rule_trace.hpp"
#include "tests/router/targeting/request.hpp"

namespace gray::targeting {
namespace {

using Source = FieldCondition::Source;
using Found = std::optional<std::uint32_t>;

constexpr std::uint32_t kGone = RuleIndex::kNoVersion;

std::vector<std::uint32_t> all_versions(const RuleIndex& index) {
  return std::vector<std::uint32_t>(index.targets().size(), 1);
}

Found find(const std::vector<Rule>& rules, const MadeRequest& request, const Address& client = kSomebody) {
  const RuleIndex index(rules);
  return index.find(request.head(), client, all_versions(index));
}

bool holds(const Rule& one, const MadeRequest& request, const Address& client = kSomebody) {
  return find({one}, request, client).has_value();
}

/// A value of a header, cookie or parameter.
struct ValueRow {
  const char* what;
  FieldCondition condition;
  std::string path;
  std::vector<NamedText> fields;
  bool matches;
};

}  // namespace

TEST_CASE("conditions of headers, cookies and parameters") {
  const FieldCondition beta = field(Source::header, "x-beta", {"1"}),
                       country = field(Source::header, "x-c", {"ch", "de"}), any = field(Source::header, "x-beta"),
                       cookie = field(Source::cookie, "beta", {"1"}), query = field(Source::query, "beta"),
                       name = field(Source::query, "a b", {"x&y"});
  const ValueRow rows[] = {
      {"value", beta, "/", {{"X-Beta", "1"}}, true},
      {"case of the name", beta, "/", {{"x-BETA", "1"}}, true},
      {"another value", beta, "/", {{"X-Beta", "2"}}, false},
      {"a longer value", beta, "/", {{"X-Beta", "11"}}, false},
      {"a value beyond every bound", beta, "/", {{"X-Beta", std::string(5'000, '1')}}, false},
      {"absent", beta, "/", {{"X-Beto", "1"}}, false},
      {"the first of two counts", beta, "/", {{"X-Beta", "2"}, {"X-Beta", "1"}}, false},
      {"the first of two", beta, "/", {{"X-Beta", "1"}, {"X-Beta", "2"}}, true},
      {"one of several", country, "/", {{"X-C", "de"}}, true},
      {"none of several", country, "/", {{"X-C", "at"}}, false},
      {"the case of a value counts", country, "/", {{"X-C", "DE"}}, false},
      {"present", any, "/", {{"X-Beta", ""}}, true},
      {"not present", any, "/", {{"X-Bet", "1"}}, false},
      {"cookie", cookie, "/", {{"Cookie", "a=b; beta=1"}}, true},
      {"cookie in quotes", cookie, "/", {{"Cookie", "beta=\"1\""}}, true},
      {"the case of a cookie's name counts", cookie, "/", {{"Cookie", "Beta=1"}}, false},
      {"cookie in the second field", cookie, "/", {{"Cookie", "a=b"}, {"Cookie", "beta=1"}}, true},
      {"the first cookie counts", cookie, "/", {{"Cookie", "beta=2; beta=1"}}, false},
      {"a cookie is not a header", cookie, "/", {{"Beta", "1"}}, false},
      {"parameter without a value", query, "/?beta", {}, true},
      {"parameter behind others", query, "/x?a=1&beta=2", {}, true},
      {"part of a name", query, "/?betamax=1", {}, false},
      {"no query", query, "/beta", {}, false},
      {"encoded name", query, "/?b%65ta", {}, true},
      {"encoded name and value", name, "/?a+b=x%26y", {}, true},
      {"not decoded twice", name, "/?a%252Bb=x%26y", {}, false},
      {"an incomplete escape stays", field(Source::query, "q", {"1%2"}), "/?q=1%2", {}, true},
  };
  for (const ValueRow& row : rows) {
    CAPTURE(row.what);
    const MadeRequest request(row.path, row.fields);
    CHECK(holds(rule({row.condition}), request) == row.matches);
    CHECK(matches(rule({row.condition}), request.head(), kSomebody) == row.matches);
  }
}

TEST_CASE("a path is a prefix of whole segments, without the query") {
  const Rule one = rule({}, {"/beta", "/x/y"});
  for (const char* path : {"/beta", "/beta/", "/beta/a", "/beta?a", "/x/y", "/x/y/z"})
    CHECK(holds(one, MadeRequest(path)));
  for (const char* path : {"/", "/betamax", "/bet", "/x", "/x/yy", "/?/beta", "*"})
    CHECK_FALSE(holds(one, MadeRequest(path)));
  CHECK(holds(rule({}, {"/"}), MadeRequest("/any")));
  CHECK(holds(rule({}, {"/"}), MadeRequest("?a")));
}

TEST_CASE("a network is one of the client's address") {
  const Rule one = rule({}, {}, {"10.0.0.0/8", "2001:db8::/32", "192.0.2.7"});
  const auto is_in = [&](const char* ip) { return holds(one, MadeRequest("/"), *parse_ip(ip)); };
  CHECK(is_in("10.255.0.1"));
  CHECK(is_in("192.0.2.7"));
  CHECK(is_in("2001:db8:1::1"));
  CHECK(is_in("::ffff:10.0.0.1"));
  CHECK_FALSE(is_in("11.0.0.0"));
  CHECK_FALSE(is_in("192.0.2.8"));
  CHECK_FALSE(is_in("2001:db9::1"));
  CHECK_FALSE(holds(one, MadeRequest("/"), *Address::parse("unix:/run/x.sock")));
  CHECK_FALSE(holds(rule({}, {}, {"::/0"}), MadeRequest("/"), *parse_ip("10.0.0.1")));
}

TEST_CASE("all conditions of a rule must hold, and the first rule decides") {
  const std::vector<Rule> rules = {
      rule({field(Source::header, "x-beta", {"1"}), field(Source::cookie, "staff")}, {"/shop"}, {"192.0.2.0/24"}),
      rule({field(Source::cookie, "staff")}), rule({}, {"/shop"}), rule({field(Source::header, "x-beta", {"1"})})};
  const auto found = [&](std::string path, const std::vector<NamedText>& fields) {
    return find(rules, MadeRequest(std::move(path), fields));
  };
  CHECK(found("/shop/a", {{"X-Beta", "1"}, {"Cookie", "staff=x"}}) == Found(0));
  CHECK(found("/other", {{"X-Beta", "1"}, {"Cookie", "staff=x"}}) == Found(1));
  CHECK(found("/shop/a", {{"X-Beta", "1"}}) == Found(2));
  CHECK(found("/", {{"X-Beta", "1"}}) == Found(3));
  CHECK(found("/", {}) == Found());
}

TEST_CASE("a rule whose version cannot be chosen is passed over") {
  const std::vector<Rule> rules = {rule({field(Source::cookie, "a")}, {}, {}, "v9"),
                                   rule({field(Source::cookie, "a")})};
  const RuleIndex index(rules);
  REQUIRE(index.targets() == std::vector<std::string>{"v9", "canary"});
  CHECK(index.target_of(0) == 0);
  CHECK(index.target_of(1) == 1);
  const MadeRequest request("/", {{"Cookie", "a=1"}});
  const auto found = [&](std::vector<std::uint32_t> versions) {
    return index.find(request.head(), kSomebody, versions);
  };
  CHECK(found({2, 1}) == Found(0));
  CHECK(found({kGone, 1}) == Found(1));
  CHECK(found({kGone, kGone}) == Found());
}

TEST_CASE("beyond the bound of cookies and parameters nothing is looked at") {
  std::string cookies, query = "/?";
  for (int i = 0; i < 300; ++i) {
    cookies += "c" + std::to_string(i) + "=1; ";
    query += "q" + std::to_string(i) + "&";
  }
  const MadeRequest request(query, {{"Cookie", cookies}});
  CHECK(holds(rule({field(Source::cookie, "c255")}), request));
  CHECK_FALSE(holds(rule({field(Source::cookie, "c256")}), request));
  CHECK(holds(rule({field(Source::query, "q255")}), request));
  CHECK_FALSE(holds(rule({field(Source::query, "q256")}), request));
}

// ---- at random

namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }
  std::string name() { return std::string(1, static_cast<char>('a' + below(5))); }
  std::string value() { return std::to_string(below(4)); }
  std::string path() {
    std::string text;
    for (auto i = below(4); i > 0; --i) text += "/" + std::string(1 + below(2), static_cast<char>('a' + below(3)));
    return text.empty() ? "/" : text;
  }
  std::string network() {
    if (below(4) == 0) return "2001:db8:" + std::to_string(below(3)) + "::/" + std::to_string(32 + 8 * below(5));
    return "10." + std::to_string(below(3)) + "." + std::to_string(below(3)) + ".0/" + std::to_string(8 * below(5));
  }
  Address client() {
    switch (below(6)) {
      case 0: return *Address::parse("unix:/x");
      case 1: return *parse_ip("2001:db8:" + std::to_string(below(3)) + "::1");
      case 2: return *parse_ip("::ffff:10.1.1.1");
      default: return *parse_ip("10." + std::to_string(below(3)) + "." + std::to_string(below(3)) + ".1");
    }
  }
  Rule rule() {
    Rule made{.name = "r", .version = "v" + std::to_string(below(3))};
    for (const Source source : {Source::header, Source::cookie, Source::query}) {
      if (below(3) != 0) continue;
      FieldCondition one{source, name(), {}};
      for (auto i = below(3); i > 0; --i) one.values.push_back(value());
      made.fields.push_back(std::move(one));
    }
    if (below(3) == 0)
      for (auto i = 1 + below(3); i > 0; --i) made.paths.push_back(path());
    if (below(4) == 0)
      for (auto i = 1 + below(3); i > 0; --i) made.clients.push_back(*Cidr::parse(network()));
    if (made.fields.empty() && made.paths.empty() && made.clients.empty()) made.paths.push_back(path());
    return made;
  }
  MadeRequest request() {
    std::string target = path() + (below(2) == 0 ? "/" : "") + (below(2) == 0 ? "?" : "");
    if (target.back() == '?')
      for (auto i = below(4); i > 0; --i) target += name() + (below(3) == 0 ? "" : "=" + value()) + (i > 1 ? "&" : "");
    MadeRequest made(target);
    for (auto i = below(4); i > 0; --i) made.add(below(2) == 0 ? name() : "A", value());
    for (auto i = below(3); i > 0; --i) made.add("Cookie", name() + "=" + value() + "; " + name() + "=" + value());
    return made;
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("the index finds what a look at each rule finds") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  Dice dice(seed);
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Rule> rules;
    for (auto i = 1 + dice.below(40); i > 0; --i) rules.push_back(dice.rule());
    const RuleIndex index(rules);
    std::vector<std::uint32_t> versions;
    for (std::size_t i = 0; i < index.targets().size(); ++i)
      versions.push_back(dice.below(4) == 0 ? kGone : dice.below(3));
    for (int i = 0; i < 100; ++i) {
      const MadeRequest request = dice.request();
      const Address client = dice.client();
      Found expected;
      for (std::uint32_t at = 0; at < rules.size() && !expected; ++at)
        if (versions[index.target_of(at)] != kGone && matches(rules[at], request.head(), client)) expected = at;
      REQUIRE(index.find(request.head(), client, versions) == expected);
      found += expected.has_value();
    }
  }
  CHECK(found > 3'000);
}

// ---- cost, in steps: names looked up, candidates, and conditions of candidates

namespace {

constexpr std::uint32_t kMany = 500;

std::uint32_t steps(const std::vector<Rule>& rules, const MadeRequest& request, const Address& client = kSomebody) {
  const RuleIndex index(rules);
  return index.search(request.head(), client, all_versions(index)).steps;
}

std::vector<Rule> many(const std::function<Rule(const std::string&)>& make) {
  std::vector<Rule> rules;
  for (std::uint32_t i = 0; i < kMany; ++i) rules.push_back(make(std::to_string(i)));
  return rules;
}

/// As a browser sends it.
MadeRequest usual(std::string path = "/a/b?x=1&y=2") {
  return MadeRequest(std::move(path), {{"Host", "example.com"},
                                       {"User-Agent", "x"},
                                       {"Accept", "*/*"},
                                       {"Cookie", "a=1; uid=77; b=2"},
                                       {"X-Tenant", "77"},
                                       {"Accept-Language", "de"},
                                       {"Referer", "y"},
                                       {"X-Beta", "1"}});
}

}  // namespace

TEST_CASE("500 rules of any kind cost a request no more than its own fields") {
  const std::uint32_t least = 8 + 3 + 2 + 8;  // fields, cookies, parameters, and some
  const auto number = [](const std::string& i) { return static_cast<std::uint32_t>(std::stoul(i)); };
  CHECK(steps(many([](auto& i) { return rule({field(Source::header, "x-tenant", {i})}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::header, "x-h" + i, {"1"})}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::header, "x-h" + i)}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::cookie, "uid", {i})}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::cookie, "c" + i)}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::query, "x", {i})}); }), usual()) <= least);
  CHECK(steps(many([](auto& i) { return rule({}, {"/a/b/" + i}); }), usual("/a/b/77/c")) <= least);
  CHECK(steps(many([&](auto& i) {
                return rule(
                    {}, {},
                    {"10." + std::to_string(number(i) / 250) + "." + std::to_string(number(i) % 250) + ".0/24"});
              }),
              usual(), *parse_ip("10.1.7.9")) <= least);
  // The same header in all of them, so each hangs at its other condition.
  CHECK(steps(many([](auto& i) { return rule({field(Source::header, "x-beta", {"1"})}, {"/a/" + i}); }), usual()) <=
        least);
  CHECK(steps(many([](auto& i) { return rule({field(Source::header, "x-beta"), field(Source::cookie, "uid", {i})}); }),
              usual()) <= least);
  // No condition is rare: every pair of 25 values and 20 paths. At most the rules of one of them are candidates.
  CHECK(steps(many([&](auto& i) {
                return rule({field(Source::header, "x-tenant", {std::to_string(70 + number(i) % 25)})},
                            {"/a/" + std::to_string(number(i) / 25)});
              }),
              usual()) <= least + 2 * 25);
}

TEST_CASE("sets without rules of their own cost nothing, however deep they are nested") {
  std::string path;
  std::vector<std::string> paths;
  for (int depth = 0; depth < 2'000; ++depth) paths.push_back(path += "/a");
  const std::vector<Rule> rules{rule({}, paths)};
  CHECK(steps(rules, MadeRequest(path + "/b")) <= 4);
  CHECK(steps(rules, MadeRequest("/b")) <= 4);
}

TEST_CASE("a hostile request costs a bounded number of steps") {
  MadeRequest request("/" + std::string(2'000, 'a') + "?" + std::string(10'000, '&'));
  request.add("Cookie", [] {
    std::string list;
    while (list.size() < 32 << 10) list += "a=b;";
    return list;
  }());
  for (int i = 0; i < 99; ++i) request.add("X-Tenant", std::to_string(i));
  const auto mixed = many([](auto& i) {
    return rule({field(Source::header, "x-tenant", {i}), field(Source::cookie, "a"), field(Source::query, "q" + i)});
  });
  CHECK(steps(mixed, request) <= 100 + 256 + 256 + 16);
}

}  // namespace gray::targeting
