// The texts and timers around the machine; with real router processes: routers_test.
#include "grayd/routers/router_upgrade.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace gray;
using namespace gray::master;

namespace {

struct RouterUpgradeFixture : RouterUpgrade::Fleet {
  asio::io_context io;
  std::optional<RouterUpgradeEnd> end;
  int ends = 0;
  std::optional<RouterUpgrade> router_upgrade;

  void begin(Duration timeout) {
    RouterUpgrade::Fleet& fleet = *this;
    router_upgrade.emplace(io, fleet, timeout);
  }
  RouterGeneration* spawn_new() override { return nullptr; }
  void let_accept(RouterGeneration&) override {}
  void drain_older(const RouterGeneration&) override {}
  std::string draining() const override { return "router 7 drains (5 s at most)"; }
  void upgrade_ended(RouterUpgradeEnd how) override { end = std::move(how), ++ends; }
};

}  // namespace

TEST_CASE_FIXTURE(
    RouterUpgradeFixture,
    "an upgrade without room for a router names the draining routers, and says that nothing was changed") {
  begin(Duration{10});
  CHECK(router_upgrade->text() == "waiting for room: router 7 drains (5 s at most)");
  CHECK_FALSE(router_upgrade->over());
  io.run();
  CHECK(router_upgrade->over());
  REQUIRE(end);
  CHECK(end->code == ExitCode::timeout);
  CHECK(end->text ==
        "no room for another router within 10ms: router 7 drains (5 s at most); nothing was changed; try again "
        "when one has ended");
  router_upgrade->room();
  CHECK(end->code == ExitCode::timeout);
}

TEST_CASE_FIXTURE(RouterUpgradeFixture, "an upgrade fails if the system cannot create a process") {
  begin(Duration{60'000});
  router_upgrade->room();
  REQUIRE(end);
  CHECK(end->code == ExitCode::failed);
  CHECK(end->text ==
        "the new router failed while starting: the system cannot create another process; the old one keeps serving");
  CHECK(ends == 1);
}
