#include "router/process/target_cache.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace gray;
using namespace gray::proxy;

namespace {

struct CacheFixture {
  TargetCache cache;
  RoutingTable table;
  std::shared_ptr<const Allowlist> list = list_of({"77", "alice"});

  CacheFixture() { table.services.push_back(service("web")); }
  static std::shared_ptr<const Allowlist> list_of(const std::vector<std::string>& ids) {
    std::vector<std::uint64_t> hashes;
    for (const std::string& id : ids) hashes.push_back(allowlist_hash(id));
    return std::make_shared<const Allowlist>(hashes);
  }
  static ServiceRoute service(const std::string& name) {
    ServiceRoute route;
    route.name = name;
    route.rules = {Rule{.name = "r", .paths = {"/beta"}}};
    return route;
  }
  void have(ServiceRoute& route, const Allowlist& users) {
    route.allowlist = {"canary", users.count(), users.digest()};
  }
  std::string follow(const std::vector<std::shared_ptr<const Allowlist>>& lists) {
    std::vector<UniqueFd> fds;
    for (const auto& one : lists) fds.emplace_back(::dup(one->fd()));
    std::string error;
    return cache.follow(std::make_shared<const RoutingTable>(table), std::move(fds), error) ? "" : error;
  }
};

}  // namespace

TEST_CASE_FIXTURE(CacheFixture, "a service has its rules and its users") {
  have(table.services[0], *list);
  table.services.push_back({});
  REQUIRE(follow({list}) == "");
  REQUIRE(cache.compiled().targets.size() == 2);
  const auto& targets = cache.compiled().targets[0];
  REQUIRE(targets.users);
  CHECK(targets.users->contains("77"));
  CHECK(targets.users->contains("alice"));
  CHECK_FALSE(targets.users->contains("78"));
  CHECK_FALSE(targets.users->contains(""));
  REQUIRE(targets.rules);
  CHECK(targets.rules->targets() == std::vector<std::string>{"canary"});
  CHECK_FALSE(cache.compiled().targets[1].users);
  CHECK_FALSE(cache.compiled().targets[1].rules);
}

TEST_CASE_FIXTURE(CacheFixture, "what does not change is neither compiled nor mapped again") {
  have(table.services[0], *list);
  REQUIRE(follow({list}) == "");
  const auto before = cache.compiled().targets[0];
  table.services[0].stable = 0;
  table.services.insert(table.services.begin(), service("api"));
  REQUIRE(follow({list}) == "");
  CHECK(cache.compiled().targets[1].rules == before.rules);
  CHECK(cache.compiled().targets[1].users == before.users);
  table.services[1].rules[0].paths = {"/other"};
  const auto fresh = list_of({"78"});
  have(table.services[1], *fresh);
  REQUIRE(follow({fresh}) == "");
  CHECK(cache.compiled().targets[1].rules != before.rules);
  CHECK(cache.compiled().targets[1].users->contains("78"));
  CHECK_FALSE(cache.compiled().targets[1].users->contains("77"));
  CHECK(before.users->contains("77"));  // a request may still use it
}

TEST_CASE_FIXTURE(CacheFixture, "a table without its allowlists is refused, and the one before stays") {
  REQUIRE(follow({}) == "");
  have(table.services[0], *list);
  CHECK(follow({}) == "its allowlists are not complete");
  CHECK(follow({list, list}) == "its allowlists are not complete");
  CHECK(follow({list_of({"1"})}) == "an allowlist is not the one of its table");
  std::string error;
  std::vector<UniqueFd> none;
  none.emplace_back(-1);
  CHECK_FALSE(cache.follow(std::make_shared<const RoutingTable>(table), std::move(none), error));
  CHECK(error == "an allowlist is not a sealed memfd");
  CHECK_FALSE(cache.compiled().targets[0].users);
  table.services[0].allowlist = {};
  CHECK(follow({list}) == "its allowlists are not complete");
}

TEST_CASE_FIXTURE(CacheFixture, "routes and networks are compiled again only when they change") {
  table.services[0].hosts = {"a"};
  table.services[0].override_from = {*Cidr::parse("10.0.0.0/8")};
  REQUIRE(follow({}) == "");
  const CompiledTable before = cache.compiled();
  CHECK(before.routes->find("a", "/") == std::optional<std::size_t>(0));
  CHECK(before.targets[0].override_from->contains(*parse_ip("10.1.2.3")));
  table.services[0].weight = 5;
  REQUIRE(follow({}) == "");
  CHECK(cache.compiled().routes == before.routes);
  CHECK(cache.compiled().targets[0].override_from == before.targets[0].override_from);
  table.services[0].override_from = {*Cidr::parse("11.0.0.0/8")};
  table.services[0].paths = {"/x"};
  REQUIRE(follow({}) == "");
  CHECK_FALSE(cache.compiled().routes->find("a", "/"));
  CHECK_FALSE(cache.compiled().targets[0].override_from->contains(*parse_ip("10.1.2.3")));
  const auto routes = cache.compiled().routes;
  table.services.insert(table.services.begin(), service("api"));  // the index of the first one changes
  table.services[0].hosts = {"b"};
  REQUIRE(follow({}) == "");
  CHECK(cache.compiled().routes->find("a", "/x") == std::optional<std::size_t>(1));
  CHECK(cache.compiled().targets[1].override_from->contains(*parse_ip("11.1.2.3")));
}

TEST_CASE_FIXTURE(CacheFixture, "the views of all threads use the same routes and networks") {
  table.services[0].versions = {{.row = 0, .name = "v1", .workers = {}}};
  REQUIRE(follow({}) == "");
  const auto shared = std::make_shared<const RoutingTable>(table);
  const TableView one(shared, cache.compiled()), other(shared, cache.compiled());
  CHECK(one.compiled.routes == other.compiled.routes);
  CHECK(one.services[0].override_from == other.services[0].override_from);
  CHECK(one.services[0].override_from == cache.compiled().targets[0].override_from);
}
