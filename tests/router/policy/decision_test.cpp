#include "router/policy/decision.hpp"

#define XXH_INLINE_ALL
#include <doctest/doctest.h>
#include <xxhash.h>

#include <chrono>
#include <ctime>

#include "router/policy/affinity.hpp"
#include "router/targeting/pairs.hpp"
#include "tests/router/policy/request.hpp"

namespace gray::policy {
namespace {

using segment::Decision;

ServiceRoute web() {
  ServiceRoute route;
  route.name = "web";
  route.param = route.cookie = "version";
  route.header = "x-version";
  route.override_from = {*Cidr::parse("0.0.0.0/0"), *Cidr::parse("::/0")};
  route.identity = {{IdentitySource::Kind::cookie, "uid"},
                    {IdentitySource::Kind::header, "x-user-id"},
                    {IdentitySource::Kind::client_ip, ""}};
  route.salt = "web/v2";
  route.versions.resize(3);
  route.versions[0].name = "v1";
  route.versions[1].name = "v2";
  route.versions[2].name = "v 3";
  route.canary = 1;
  return route;
}

std::shared_ptr<const NetworkSet> overriding(const ServiceRoute& route) {
  return std::make_shared<const NetworkSet>(route.override_from);
}

Choice choose(const ServiceRoute& route, const http::Request& head, double percent = 0, const Address& peer = kClient,
              bool canary_up = true) {
  return decide({&route, Threshold::of_percent(percent), 0, overriding(route)}, head, peer, peer,
                [canary_up](std::uint32_t) { return canary_up; });
}

void check(const Choice& choice, std::uint32_t version, Decision decision) {
  CHECK(choice.version == version);
  CHECK(choice.decision == decision);
}

TEST_CASE("explicit sources are read in order: param, header, cookie") {
  const ServiceRoute route = web();
  check(choose(route, *request("/?version=v2", {{"X-Version", "v1"}, {"Cookie", "version=v1"}})), 1, Decision::param);
  check(choose(route, *request("/", {{"X-Version", "v2"}, {"Cookie", "version=v1"}})), 1, Decision::header);
  check(choose(route, *request("/", {{"Cookie", "version=v2"}})), 1, Decision::cookie);
  check(choose(route, *request("/")), 0, Decision::stable);
}

TEST_CASE("a source that names the stable version explicitly beats the bucket") {
  check(choose(web(), *request("/?version=v1"), 100), 0, Decision::param);
}

TEST_CASE("an unknown version name is skipped for the next source, and at last for the bucket") {
  const ServiceRoute route = web();
  check(choose(route, *request("/?version=v9", {{"X-Version", "v2"}})), 1, Decision::header);
  check(choose(route, *request("/?version=", {{"X-Version", "V2"}, {"Cookie", "version=v2"}})), 1, Decision::cookie);
  check(choose(route, *request("/?version", {{"X-Version", "v2x"}, {"Cookie", "version=v"}}), 100), 1,
        Decision::bucket);
}

TEST_CASE("the first of a repeated parameter counts, even if only the second names a version") {
  check(choose(web(), *request("/?version=v9&version=v2")), 0, Decision::stable);
  check(choose(web(), *request("/?version=v1&version=v2")), 0, Decision::param);
}

TEST_CASE("the param is compared decoded") {
  check(choose(web(), *request("/?a=b&vers%69on=%762")), 1, Decision::param);
  check(choose(web(), *request("/?version=v+3")), 2, Decision::param);
  check(choose(web(), *request("/?version=v%203")), 2, Decision::param);
}

TEST_CASE("a browser's navigation that names a version by param pins it, an empty param removes the pin") {
  const ServiceRoute route = web();
  const auto pin = [&](std::string_view path, std::string_view mode) {
    return choose(route, *request(path, {{"Sec-Fetch-Mode", mode}, {"Cookie", "version=v2"}})).pin;
  };
  CHECK(pin("/?version=v2", "navigate") == Pin::set);
  CHECK(pin("/?version=v1", "navigate") == Pin::set);
  CHECK(pin("/?version=", "navigate") == Pin::expire);
  CHECK(pin("/?version", "navigate") == Pin::expire);
  CHECK(pin("/?version=v9", "navigate") == Pin::none);
  CHECK(pin("/?other=v2", "navigate") == Pin::none);
  CHECK(pin("/", "navigate") == Pin::none);
  for (const char* mode : {"", "cors", "no-cors", "same-origin", "websocket", "Navigate"}) {
    CHECK(pin("/?version=v2", mode) == Pin::none);
    CHECK(pin("/?version=", mode) == Pin::none);
  }
}

TEST_CASE("the navigation that removes a pin is not decided by it") {
  const ServiceRoute route = web();
  const auto pinned = [&](std::string_view mode) {
    return choose(route, *request("/?version=", {{"Sec-Fetch-Mode", mode}, {"Cookie", "version=v2"}}));
  };
  check(pinned("navigate"), 0, Decision::stable);
  check(pinned("cors"), 1, Decision::cookie);
  const auto head = request("/?version=", {{"Sec-Fetch-Mode", "navigate"}, {"X-Version", "v2"}});
  check(choose(route, *head), 1, Decision::header);
}

TEST_CASE("nothing pins without the param or the cookie, or when it is switched off") {
  const auto head = request("/?version=v2", {{"Sec-Fetch-Mode", "navigate"}});
  const auto empty = request("/?version=", {{"Sec-Fetch-Mode", "navigate"}});
  for (const int off : {0, 1, 2}) {
    ServiceRoute route = web();
    if (off == 0) route.pin = false;
    if (off == 1) route.cookie.clear();
    if (off == 2) route.param.clear();
    CHECK(choose(route, *head).pin == Pin::none);
    CHECK(choose(route, *empty).pin == Pin::none);
  }
  CHECK(choose(web(), *request("/", {{"Sec-Fetch-Mode", "navigate"}, {"X-Version", "v2"}})).pin == Pin::none);
}

TEST_CASE("a source without a name is off") {
  ServiceRoute route = web();
  route.param = route.header = route.cookie = "";
  const auto head = request("/?version=v2&=v2", {{"X-Version", "v2"}, {"", "v2"}, {"Cookie", "version=v2; =v2"}});
  check(choose(route, *head), 0, Decision::stable);
}

TEST_CASE("a header names a version only from override_from, a param and a cookie from everywhere (P31)") {
  ServiceRoute route = web();
  route.override_from = {*Cidr::parse("10.0.0.0/8")};
  const auto head = request("/", {{"X-Version", "v2"}});
  check(choose(route, *head), 0, Decision::stable);
  check(choose(route, *head, 0, *Address::parse("10.1.2.3:1")), 1, Decision::header);
  check(choose(route, *request("/?version=v2")), 1, Decision::param);
  check(choose(route, *request("/", {{"Cookie", "version=v2"}})), 1, Decision::cookie);
}

TEST_CASE("override_from checks the peer, not the client that the peer forwards for") {
  ServiceRoute route = web();
  route.override_from = {*Cidr::parse("10.0.0.0/8")};
  const auto head = request("/", {{"X-Version", "v2"}});
  const Address inside = *Address::parse("10.0.0.1:1");
  check(decide({&route, {}, 0, overriding(route)}, *head, kClient, inside, kAllUp), 1, Decision::header);
  check(decide({&route, {}, 0, overriding(route)}, *head, inside, kClient, kAllUp), 0, Decision::stable);
}

TEST_CASE("a unix peer may name a version unless override_from is empty") {
  ServiceRoute route = web();
  const auto head = request("/", {{"X-Version", "v2"}});
  check(choose(route, *head, 0, kUnix), 1, Decision::header);
  route.override_from = {*Cidr::parse("10.0.0.0/8")};
  check(choose(route, *head, 0, kUnix), 1, Decision::header);
  route.override_from.clear();
  check(choose(route, *head, 0, kUnix), 0, Decision::stable);
}

TEST_CASE("a bucketed user goes to the canary, to stable while it is down, and a named canary is never replaced") {
  const ServiceRoute route = web();
  check(choose(route, *request("/"), 100), 1, Decision::bucket);
  check(choose(route, *request("/"), 100, kClient, false), 0, Decision::fallback);
  check(choose(route, *request("/"), 0, kClient, false), 0, Decision::stable);
  check(choose(route, *request("/?version=v2"), 0, kClient, false), 1, Decision::param);
}

TEST_CASE("without a canary or an identity every user goes to stable") {
  ServiceRoute route = web();
  const Choice nobody = choose(route, *request("/"), 100, kUnix);
  check(nobody, 0, Decision::stable);
  CHECK_FALSE(nobody.identified());
  CHECK(nobody.identity_hash == 0);
  route.canary.reset();
  check(choose(route, *request("/"), 100), 0, Decision::stable);
}

TEST_CASE("the first identity that is present and not empty is the user") {
  const ServiceRoute route = web();
  const auto hash_of = [&](std::initializer_list<NamedValue> fields) {
    const Choice choice = choose(route, *request("/", fields));
    CHECK(choice.identified());
    return choice.identity_hash;
  };
  CHECK(hash_of({{"X-User-Id", "bob"}, {"Cookie", "uid=alice"}}) == bucket_hash("web/v2", "alice"));
  CHECK(hash_of({{"X-User-Id", ""}, {"x-user-id", "bob"}, {"Cookie", "uid="}}) == bucket_hash("web/v2", "bob"));
  CHECK(hash_of({{"Cookie", "uidx=alice; xuid=alice"}}) == bucket_hash("web/v2", "192.0.2.7"));
}

TEST_CASE("a cookie that the router issues is an identity like any other cookie") {
  ServiceRoute route = web();
  route.identity = {{IdentitySource::Kind::issued_cookie, "gid"}};
  CHECK(choose(route, *request("/", {{"Cookie", "gid=42"}})).identity_hash == bucket_hash("web/v2", "42"));
  const Choice issued = choose(route, *request("/"));
  CHECK(issued.identified());
  CHECK(issued.issues);
  CHECK(issued.identity == &route.identity[0]);
}

TEST_CASE("affinity is a hash of the identity that no salt changes, and only where the service wants it") {
  ServiceRoute route = web();
  const auto head = request("/", {{"Cookie", "uid=alice"}});
  CHECK(choose(route, *head).affinity == 0);
  route.affinity = true;
  const std::uint64_t alice = choose(route, *head).affinity;
  CHECK(alice == affinity_hash("alice"));
  route.salt = "again";
  CHECK(choose(route, *head).affinity == alice);
  CHECK(choose(route, *request("/?version=v2", {{"Cookie", "uid=alice"}})).affinity == alice);
  CHECK(choose(route, *request("/"), 0, kUnix).affinity == 0);
}

TEST_CASE("the identity is determined whatever decided") {
  const Choice choice = choose(web(), *request("/?version=v2", {{"Cookie", "uid=alice"}}));
  check(choice, 1, Decision::param);
  CHECK(choice.identity_hash == bucket_hash("web/v2", "alice"));
}

TEST_CASE("a client's address identifies it by the text of Address") {
  for (const char* text : {"0.0.0.0:1", "255.255.255.255:1", "10.0.20.103:80", "[::1]:1", "[2001:db8::ff:1]:1",
                           "[2001:db8:1111:2222:3333:4444:5555:6666]:1"}) {
    const Address address = *Address::parse(text);
    const Choice choice = choose(web(), *request("/"), 0, address);
    CHECK(choice.identity_hash == bucket_hash("web/v2", address.ip_text()));
  }
}

TEST_CASE("a query parameter is found by its decoded name, the first one counts") {
  CHECK(query_param("/x?a=1&b=2", "b") == "2");
  CHECK(query_param("/x?b=1&b=2", "b") == "1");
  CHECK(query_param("/x?%62=%31", "b") == "%31");
  CHECK(query_param("/x?a%20b=1", "a b") == "1");
  CHECK(query_param("/x?b", "b") == "");
  CHECK(query_param("/x?b=1=2", "b") == "1=2");
  CHECK(query_param("/x?a=?b=3&&b=4", "b") == "4");
  CHECK_FALSE(query_param("/b=1", "b").has_value());
  CHECK_FALSE(query_param("/x?", "b").has_value());
  CHECK_FALSE(query_param("/x?bb=1&B=1&a=b", "b").has_value());
  const std::string before(targeting::kMaxPairs, '&');  // empty parameters
  CHECK_FALSE(query_param("/x?" + before + "b=1", "b").has_value());
  CHECK(query_param("/x?" + before.substr(1) + "b", "b") == "");
}

TEST_CASE("percent decoding leaves invalid escapes as they are") {
  CHECK(decodes_to("", ""));
  CHECK(decodes_to("v%32", "v2"));
  CHECK(decodes_to("%c3%BC", "\xc3\xbc"));
  CHECK(decodes_to("100%", "100%"));
  CHECK(decodes_to("%4", "%4"));
  CHECK(decodes_to("%zz", "%zz"));
  CHECK(decodes_to("a+b", "a b"));
  CHECK(decodes_to("%00", std::string_view("\0", 1)));
  CHECK_FALSE(decodes_to("v2x", "v2"));
  CHECK_FALSE(decodes_to("v", "v2"));
  CHECK_FALSE(decodes_to("%76", "%76"));
}

TEST_CASE("a peer that is not a trusted proxy is the client, whatever it sends") {
  const auto head = request("/", {{"X-Forwarded-For", "1.2.3.4"}});
  CHECK(client_address(kClient, head->fields, {}).address == kClient);
  CHECK(client_address(kUnix, head->fields, NetworkSet({*Cidr::parse("0.0.0.0/0")})).address == kUnix);
}

TEST_CASE("behind trusted proxies the rightmost untrusted hop is the client") {
  const NetworkSet trusted({*Cidr::parse("10.0.0.0/8")});
  const Address proxy = *Address::parse("10.0.0.1:1");
  const auto client = [&](std::initializer_list<NamedValue> fields) {
    return client_address(proxy, request("/", fields)->fields, trusted).address.ip_text();
  };
  CHECK(client({}) == "10.0.0.1");
  CHECK(client({{"X-Forwarded-For", "1.2.3.4"}}) == "1.2.3.4");
  CHECK(client({{"X-Forwarded-For", "6.6.6.6, 1.2.3.4 , 10.9.9.9"}}) == "1.2.3.4");
  CHECK(client({{"X-Forwarded-For", "6.6.6.6"}, {"x-forwarded-for", "1.2.3.4"}}) == "1.2.3.4");
  CHECK(client({{"X-Forwarded-For", "1.2.3.4"}, {"x-forwarded-for", "10.9.9.9"}}) == "1.2.3.4");
  CHECK(client({{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}}) == "10.0.0.3");
  CHECK(client({{"X-Forwarded-For", "2001:db8::1"}}) == "2001:db8::1");
}

TEST_CASE("a hop may have a port, and one that is not an address is named") {
  const NetworkSet trusted({*Cidr::parse("10.0.0.0/8")}, true);
  const Address proxy = *Address::parse("10.0.0.1:1");
  const auto found = [&](const Address& peer, std::string_view field) {
    const auto head = request("/", {{"X-Forwarded-For", field}});
    const ForwardedClient client = client_address(peer, head->fields, trusted);
    return client.address.ip_text() + (client.unreadable.empty() ? "" : " but " + std::string(client.unreadable));
  };
  CHECK(found(proxy, "1.2.3.4:4711") == "1.2.3.4");
  CHECK(found(proxy, "1.2.3.4:4711, 10.0.0.2:80") == "1.2.3.4");
  CHECK(found(proxy, "[2001:db8::1]:4711") == "2001:db8::1");
  CHECK(found(proxy, "[2001:db8::1]") == "2001:db8::1");
  for (const char* wrong :
       {"unknown", "_hidden", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456", "[::1", "[::1]x", "[]:1", ":80", "1.2.3:80"}) {
    CHECK(found(proxy, wrong) == "10.0.0.1 but " + std::string(wrong));
    CHECK(found(proxy, "6.6.6.6, " + std::string(wrong) + ", 10.0.0.2") == "10.0.0.2 but " + std::string(wrong));
  }
  CHECK(found(kUnix, "1.2.3.4") == "1.2.3.4");
  const auto head = request("/", {{"X-Forwarded-For", "1.2.3.4"}});
  CHECK(client_address(kUnix, head->fields, NetworkSet()).address.kind == Address::Kind::unix_path);
}

TEST_CASE("an invalid member ends the search at the last valid address") {
  const NetworkSet trusted({*Cidr::parse("10.0.0.0/8")});
  const Address proxy = *Address::parse("10.0.0.1:1");
  const auto client = [&](std::string_view forwarded) {
    return client_address(proxy, request("/", {{"X-Forwarded-For", forwarded}})->fields, trusted).address.ip_text();
  };
  CHECK(client("unknown") == "10.0.0.1");
  CHECK(client("1.2.3.4, unix:/x, 10.0.0.2") == "10.0.0.2");
  CHECK(client("1.2.3.4,, 10.0.0.2") == "10.0.0.2");
  CHECK(client("1.2.3.4, ") == "10.0.0.1");
  CHECK(client("") == "10.0.0.1");
}

TEST_CASE("a list of trusted hops is read up to its bound, then the last address read is the client") {
  const NetworkSet trusted({*Cidr::parse("10.0.0.0/8")});
  const auto found = [&](int hops) {
    std::string forwarded = "1.2.3.4";
    for (int hop = hops; hop > 0; --hop) forwarded += ", 10.0.1." + std::to_string(hop);
    const auto head = request("/", {{"X-Forwarded-For", forwarded}});
    return client_address(*Address::parse("10.0.0.1:1"), head->fields, trusted);
  };
  const auto client = [&](int hops) { return found(hops).address.ip_text(); };
  const auto cut = [&](int hops) { return found(hops).cut; };
  CHECK(client(kMaxHops - 1) == "1.2.3.4");
  CHECK(client(kMaxHops) == "10.0.1." + std::to_string(kMaxHops));
  CHECK(client(200) == "10.0.1." + std::to_string(kMaxHops));
  CHECK_FALSE(cut(kMaxHops - 1));
  CHECK(cut(kMaxHops));
}

/// Far above the 2 us that are wanted, far below a search through 10,000 networks for each hop. The least of several
/// runs, so that other processes do not count.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr std::chrono::nanoseconds kGenerousCost{200'000};
#else
constexpr std::chrono::nanoseconds kGenerousCost{20'000};
#endif

std::chrono::nanoseconds thread_cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Addresses of one network after another, far apart in the order of the networks.
std::string hop_in(int networks, int hop) {
  const int network = networks == 0 ? hop : hop * 7'919 % networks;
  return "10." + std::to_string(network / 256) + "." + std::to_string(network % 256) + ".1";
}

/// The CPU time of one client_address() with `hops` trusted addresses.
std::chrono::nanoseconds cost_of_client(const NetworkSet& trusted, int networks, int hops) {
  constexpr int kRuns = 10, kCalls = 500;
  std::string forwarded;
  for (int hop = 0; hop < hops; ++hop) forwarded += (hop == 0 ? "" : ", ") + hop_in(networks, hop);
  const auto head = hops == 0 ? request("/") : request("/", {{"X-Forwarded-For", forwarded}});
  const Address proxy = *Address::parse("10.0.0.1:1");
  auto least = std::chrono::nanoseconds::max();
  int ipv4 = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = thread_cpu_time();
    for (int call = 0; call < kCalls; ++call)
      ipv4 += client_address(proxy, head->fields, trusted).address.kind == Address::Kind::ipv4;
    least = std::min(least, (thread_cpu_time() - begin) / kCalls);
  }
  CHECK(ipv4 == kRuns * kCalls);
  return least;
}

TEST_CASE("X-Forwarded-For costs little, however many hops and trusted networks there are") {
  for (const int networks : {0, 100, 10'000}) {
    std::vector<Cidr> list;
    for (int i = 0; i < networks; ++i)
      list.push_back(*Cidr::parse("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24"));
    const NetworkSet trusted(list);
    const auto without = cost_of_client(trusted, networks, 0);
    for (const int hops : {1, 32, 1'500}) {
      const auto cost = cost_of_client(trusted, networks, hops);
      MESSAGE(hops, " hops, ", networks, " networks: ", cost.count(), " ns of CPU time, ", without.count(), " without");
      CHECK(cost < kGenerousCost);
    }
  }
}

TEST_CASE("the share of users is the weight, and raising it moves no user back") {
  ServiceRoute route = web();
  const Threshold five = Threshold::of_percent(5), twenty = Threshold::of_percent(20);
  int at_five = 0, at_twenty = 0, moved_back = 0;
  for (int id = 1; id <= 100'000; ++id) {
    const std::uint64_t hash = bucket_hash(route.salt, std::to_string(id));
    at_five += five.takes(hash);
    at_twenty += twenty.takes(hash);
    moved_back += five.takes(hash) && !twenty.takes(hash);
  }
  CHECK(at_five >= 4'700);
  CHECK(at_five <= 5'300);
  CHECK(at_twenty >= 19'400);
  CHECK(at_twenty <= 20'600);
  CHECK(moved_back == 0);
}

TEST_CASE("a different salt selects different users") {
  const Threshold half = Threshold::of_percent(50);
  int both = 0;
  for (int id = 0; id < 10'000; ++id) {
    const std::string user = std::to_string(id);
    both += half.takes(bucket_hash("web/v2", user)) && half.takes(bucket_hash("web/v3", user));
  }
  CHECK(both > 2'300);
  CHECK(both < 2'700);
}

TEST_CASE("the bucket hash stays XXH3-64 of salt, a zero byte and identity") {
  CHECK(bucket_hash("", "") == 0xc44bdff4074eecdbull);
  CHECK(bucket_hash("a", "b") != bucket_hash("ab", ""));
  for (std::size_t length = 0; length < 600; ++length) {
    const std::string identity(length, 'x');
    const std::string joined = std::string("web/v2") + '\0' + identity;
    REQUIRE(bucket_hash("web/v2", identity) == XXH3_64bits(joined.data(), joined.size()));
  }
  CHECK(bucket_hash("web/v2", "alice") == 0x2bf54ce82f9fac11ull);
}

}  // namespace
// ---- the allowlist and rules

namespace {

/// Rules and an allowlist over web(), of which the users "77" and "78" are on it.
struct Targeted {
  ServiceRoute route = web();
  targeting::Targets targets;
  std::vector<std::uint64_t> slots;

  explicit Targeted(std::vector<Rule> rules, std::string listed = "canary") {
    route.rules = std::move(rules);
    route.allowlist.version = std::move(listed);
    for (VersionRoute& version : route.versions) version.targeted = true;
    if (!route.rules.empty()) targets.rules = std::make_shared<const targeting::RuleIndex>(route.rules);
    slots.resize(8);
    for (const char* id : {"77", "78"}) {
      auto at = allowlist_hash(id) % slots.size();
      while (slots[at] != 0) at = (at + 1) % slots.size();
      slots[at] = allowlist_hash(id);
    }
    targets.users = std::make_shared<const targeting::AllowlistTable>(slots);
  }
  Choice choose(const http::Request& head, double percent = 0, std::uint64_t able = 7) const {
    const auto is_able = [able](std::uint32_t version) { return (able >> version & 1) != 0; };
    return decide({&route, Threshold::of_percent(percent), 0, overriding(route), Targeting(route, targets)}, head,
                  kClient, kClient, is_able);
  }
};

Rule rule_of(std::string cookie, std::string version = "canary") {
  return {
      .name = "r", .version = std::move(version), .fields = {{FieldCondition::Source::cookie, std::move(cookie), {}}}};
}

/// What a request has, from the strongest source to the weakest, and who decides.
struct OrderRow {
  const char* path;
  std::initializer_list<NamedValue> fields;
  std::uint32_t version;
  Decision decision;
};

}  // namespace

TEST_CASE("param > header > cookie > allowlist > rule > bucket > stable") {
  const Targeted web({rule_of("beta", "v 3"), rule_of("keep", "stable")}, "v2");
  const OrderRow rows[] = {
      {"/?version=v1", {{"X-Version", "v2"}, {"Cookie", "version=v2; uid=77; beta=1"}}, 0, Decision::param},
      {"/", {{"X-Version", "v1"}, {"Cookie", "version=v2; uid=77; beta=1"}}, 0, Decision::header},
      {"/", {{"Cookie", "version=v1; uid=77; beta=1"}}, 0, Decision::cookie},
      {"/", {{"Cookie", "uid=77; beta=1"}}, 1, Decision::allowlist},
      {"/", {{"Cookie", "uid=5; beta=1; keep=1"}}, 2, Decision::rule},
      {"/", {{"Cookie", "uid=5; keep=1"}}, 0, Decision::rule},
      {"/", {{"Cookie", "uid=5"}}, 1, Decision::bucket},
      {"/?version=v9", {{"Cookie", "uid=77"}}, 1, Decision::allowlist},
  };
  for (const OrderRow& row : rows) check(web.choose(*request(row.path, row.fields), 100), row.version, row.decision);
  check(web.choose(*request("/", {{"Cookie", "uid=5"}}), 0), 0, Decision::stable);
}

TEST_CASE("the choice says which rule, and whether the allowlist") {
  const Targeted web({rule_of("a"), rule_of("b")});
  CHECK(web.choose(*request("/", {{"Cookie", "uid=5; b=1"}})).rule == 1);
  CHECK(web.choose(*request("/", {{"Cookie", "uid=77; b=1"}})).rule == Choice::kNoRule);
  CHECK(web.choose(*request("/", {{"Cookie", "uid=77; b=1"}})).listed);
  CHECK(web.choose(*request("/", {{"Cookie", "uid=77; b=1"}})).targeted());
  const Choice named = web.choose(*request("/?version=v1", {{"Cookie", "uid=77; b=1"}}));
  CHECK_FALSE(named.targeted());
  CHECK_FALSE(named.listed);
  CHECK_FALSE(web.choose(*request("/", {{"Cookie", "uid=5"}})).targeted());
  const Choice fallen = web.choose(*request("/", {{"Cookie", "uid=5; a=1"}}), 0, 1);
  CHECK(fallen.rule == 0);
  CHECK(fallen.targeted());
}

TEST_CASE("a version that is down gets no targeted user, but stable, which has no other, does") {
  const Targeted web({rule_of("beta", "v2"), rule_of("keep", "stable")});
  check(web.choose(*request("/", {{"Cookie", "uid=77"}}), 0, 0b101), 0, Decision::fallback);
  check(web.choose(*request("/", {{"Cookie", "beta=1"}}), 0, 0b101), 0, Decision::fallback);
  check(web.choose(*request("/", {{"Cookie", "keep=1"}}), 0, 0b110), 0, Decision::rule);
}

TEST_CASE("a target that no version is, or that must not be chosen, is no match") {
  struct Row {
    std::string target;
    void (*edit)(ServiceRoute&);
    std::uint32_t version;
    Decision decision;
  };
  const Row rows[] = {
      {"canary", [](ServiceRoute& route) { route.canary.reset(); }, 0, Decision::stable},
      {"canary", [](ServiceRoute& route) { route.versions[1].targeted = false; }, 1, Decision::rule},
      {"v2", [](ServiceRoute& route) { route.canary.reset(); }, 1, Decision::rule},
      {"v2", [](ServiceRoute& route) { route.versions[1].targeted = false; }, 0, Decision::stable},
      {"v9", [](ServiceRoute&) {}, 0, Decision::stable},
      {"v1", [](ServiceRoute& route) { route.versions[0].targeted = false; }, 0, Decision::rule},
      {"stable", [](ServiceRoute& route) { route.versions[0].targeted = false; }, 0, Decision::rule},
  };
  for (const Row& row : rows) {
    CAPTURE(row.target);
    Targeted by_rule({rule_of("beta", row.target)}, "v9");
    row.edit(by_rule.route);
    check(by_rule.choose(*request("/", {{"Cookie", "uid=77; beta=1"}})), row.version, row.decision);
    Targeted by_list({}, row.target);
    row.edit(by_list.route);
    check(by_list.choose(*request("/", {{"Cookie", "uid=77"}})), row.version,
          row.decision == Decision::rule ? Decision::allowlist : row.decision);
  }
  // The next rule is asked.
  Targeted next({rule_of("beta", "v9"), rule_of("beta", "v 3")}, "v9");
  check(next.choose(*request("/", {{"Cookie", "beta=1"}})), 2, Decision::rule);
}

TEST_CASE("the allowlist needs an identity, rules do not") {
  Targeted web({rule_of("beta")});
  web.route.identity = {{IdentitySource::Kind::cookie, "uid"}};
  check(web.choose(*request("/", {{"X-User-Id", "77"}})), 0, Decision::stable);
  check(web.choose(*request("/", {{"Cookie", "beta=1"}})), 1, Decision::rule);
  web.route.identity = {{IdentitySource::Kind::header, "x-user-id"}};
  check(web.choose(*request("/", {{"X-User-Id", "77"}})), 1, Decision::allowlist);
}

TEST_CASE("pin, issue and affinity do not depend on who decides") {
  Targeted web({rule_of("beta")});
  web.route.affinity = true;
  web.route.identity = {{IdentitySource::Kind::issued_cookie, "gid"}};
  const Choice issued = web.choose(*request("/", {{"Cookie", "beta=1"}}));
  check(issued, 1, Decision::rule);
  CHECK(issued.issues);
  CHECK(issued.affinity != 0);
  const Choice pinned = web.choose(*request("/?version=v1", {{"Cookie", "beta=1"}, {"Sec-Fetch-Mode", "navigate"}}));
  check(pinned, 0, Decision::param);
  CHECK(pinned.pin == Pin::set);
  const Choice unpinned =
      web.choose(*request("/?version=", {{"Cookie", "beta=1; version=v1"}, {"Sec-Fetch-Mode", "navigate"}}));
  check(unpinned, 1, Decision::rule);
  CHECK(unpinned.pin == Pin::expire);
}

}  // namespace gray::policy
