#include "grayd/routers/router_generation.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <optional>

#include "config/shared/routing_table.hpp"
#include "tests/grayd/routers/fake_router.hpp"

using namespace gray;
using namespace gray::master;

namespace {

constexpr Duration kTimeout{20'000};

struct RouterGenerationFixture : RouterGeneration::Owner {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  bool was_greeted = false, was_ready = false, has_ended = false;
  std::optional<RouterGeneration> router;

  void start(const char* behaviour, Duration limit = kTimeout) {
    ::setenv("GRAY_FAKE_ROUTER", behaviour, 1);
    RouterCommand command;
    command.segment = segment.fd();
    command.freed = segment.freed();
    RouterGeneration::Owner& owner = *this;
    router.emplace(io, spawn_router(command), 2, limit, owner);
  }
  void ready(RouterGeneration&) override { was_ready = true; }
  void applied(RouterGeneration&) override {}
  void probed(const ChannelMessage&) override {}
  void met_stranger(const ChannelMessage&) override {}
  void met_untrusted_proxy(const ChannelMessage&) override {}
  void client_fault(const ChannelMessage&) override {}
  void weighed(RouterGeneration&, ChannelMessage) override {}
  void worker_unused() override {}
  void ended(RouterGeneration&) override { has_ended = true; }
  void greeted(RouterGeneration& one) override {
    was_greeted = true;
    ChannelMessage table;
    table.type = ChannelMessage::Type::table;
    table.number = 9;
    table.fd = sealed_memfd("table", to_json_text(RoutingTable{}));
    one.send(std::move(table));
  }
  bool until(const bool& flag) {
    const auto deadline = Clock::now() + kTimeout;
    while (!flag && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(Duration{50});
    }
    return flag;
  }
};

}  // namespace

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router starts, works and ends by a drain") {
  start("good");
  CHECK_FALSE(router->greeted());
  REQUIRE(until(was_ready));
  CHECK(was_greeted);
  CHECK(router->ready());
  CHECK(router->applied() == 9);
  CHECK(router->view().slot == 2);
  CHECK(router->view().state == RouterState::ready);
  router->drain(Duration{1'000}, true);
  CHECK(router->leaving());
  REQUIRE(until(has_ended));
  CHECK(router->end() == "exit 0");
}

TEST_CASE_FIXTURE(RouterGenerationFixture,
                  "the end of a router is reported with its cause, and whether it died young") {
  start("good");
  REQUIRE(until(was_ready));
  ::kill(router->pid(), SIGKILL);
  REQUIRE(until(has_ended));
  CHECK(router->end() == "signal 9");
  CHECK(router->died_young());
  CHECK_FALSE(router->leaving());
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router that does not get ready in time is killed") {
  start("mute", Duration{50});
  REQUIRE(until(has_ended));
  CHECK(router->end() == "signal 9 (killed: it was not ready in time)");
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router with a different layout is never ready") {
  start("alien");
  REQUIRE(until(has_ended));
  CHECK(router->end() == "signal 9 (killed: its protocol or segment layout differs)");
  CHECK_FALSE(was_greeted);
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router that stopped reading is killed when its drain is overdue") {
  start("good");
  REQUIRE(until(was_ready));
  ::kill(router->pid(), SIGSTOP);
  router->drain(Duration{0}, true);
  REQUIRE(until(has_ended));
  CHECK(router->end() == "signal 9 (killed: it was not drained in time)");
}
