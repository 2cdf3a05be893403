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

struct RouterGenerationFixture {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  bool greeted = false, ready = false, ended = false;
  std::optional<RouterGeneration> router;

  void start(const char* behaviour, Duration limit = kTimeout) {
    ::setenv("GRAY_FAKE_ROUTER", behaviour, 1);
    RouterCommand command;
    command.segment = segment.fd();
    command.freed = segment.freed();
    router.emplace(io, spawn_router(command), 2, limit,
                   RouterGeneration::Events{[this](RouterGeneration& one) { greet(one); },
                                            [this](RouterGeneration&) { ready = true; }, [](RouterGeneration&) {},
                                            [](std::uint64_t, bool, const std::string&) {},
                                            [this](RouterGeneration&) { ended = true; }});
  }
  void greet(RouterGeneration& one) {
    greeted = true;
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

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router is born, works and ends by a drain") {
  start("good");
  CHECK_FALSE(router->greeted());
  REQUIRE(until(ready));
  CHECK(greeted);
  CHECK(router->ready());
  CHECK(router->applied() == 9);
  CHECK(router->view().slot == 2);
  CHECK(router->view().state == RouterState::ready);
  router->drain(Duration{1'000}, true);
  CHECK(router->leaving());
  REQUIRE(until(ended));
  CHECK(router->end() == "exit 0");
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a death is told with its cause, and whether it came young") {
  start("good");
  REQUIRE(until(ready));
  ::kill(router->pid(), SIGKILL);
  REQUIRE(until(ended));
  CHECK(router->end() == "signal 9");
  CHECK(router->died_young());
  CHECK_FALSE(router->leaving());
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router that does not get ready in time is killed") {
  start("mute", Duration{50});
  REQUIRE(until(ended));
  CHECK(router->end() == "signal 9 (killed: it was not ready in time)");
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router with another layout is never ready") {
  start("alien");
  REQUIRE(until(ended));
  CHECK(router->end() == "signal 9 (killed: its protocol or segment layout differs)");
  CHECK_FALSE(greeted);
}

TEST_CASE_FIXTURE(RouterGenerationFixture, "a router that stopped reading is killed when its drain is overdue") {
  start("good");
  REQUIRE(until(ready));
  ::kill(router->pid(), SIGSTOP);
  router->drain(Duration{0}, true);
  REQUIRE(until(ended));
  CHECK(router->end() == "signal 9 (killed: it was not drained in time)");
}
