#include "control/explain/table_targets.hpp"

#include <doctest/doctest.h>

namespace gray::control {
namespace {

TEST_CASE("rules are compiled, and the list is mapped") {
  const Allowlist list({allowlist_hash("77"), allowlist_hash("alice")});
  ServiceRoute route;
  route.rules = {{.name = "beta", .version = "v2", .fields = {}, .paths = {"/b"}, .clients = {}}};
  route.allowlist = {.version = "canary", .count = list.count(), .digest = list.digest()};
  const auto targets = targets_of(route, &list);
  REQUIRE(targets.rules);
  CHECK(targets.rules->targets() == std::vector<std::string>{"v2"});
  REQUIRE(targets.users);
  CHECK(targets.users->contains("77"));
  CHECK(targets.users->contains("alice"));
  CHECK_FALSE(targets.users->contains("78"));
}

TEST_CASE("a service without them has none") {
  const Allowlist list(std::vector<std::uint64_t>{allowlist_hash("77")});
  CHECK_FALSE(targets_of({}, &list).users);
  CHECK_FALSE(targets_of({}, nullptr).rules);
  ServiceRoute route;
  route.allowlist.count = 1;
  CHECK_FALSE(targets_of(route, nullptr).users);
}

}  // namespace
}  // namespace gray::control
