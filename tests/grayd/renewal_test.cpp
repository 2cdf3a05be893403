// The words and timers around the machine; with living routers: routers_test.
#include "grayd/renewal.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace gray;
using namespace gray::master;

namespace {

struct Fixture {
  asio::io_context io;
  std::optional<RenewalEnd> end;
  int ends = 0;
  std::optional<Renewal> renewal;

  void begin(Duration patience) {
    renewal.emplace(io,
                    Renewal::Parts{[] { return nullptr; }, [](RouterGeneration&) {}, [](RouterGeneration&) {},
                                   [] { return std::string("router 7 drains (5 s at most)"); },
                                   [this](const RenewalEnd& how) { end = how, ++ends; }},
                    patience);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "who waits for room in vain is told for whom, and that nothing was changed") {
  begin(Duration{10});
  CHECK(renewal->text() == "waiting for room: router 7 drains (5 s at most)");
  CHECK_FALSE(renewal->over());
  io.run();
  CHECK(renewal->over());
  REQUIRE(end);
  CHECK(end->code == ExitCode::timeout);
  CHECK(end->text ==
        "no room for another router within 10ms: router 7 drains (5 s at most); nothing was changed, try again "
        "when it has ended");
  renewal->room();
  CHECK(end->code == ExitCode::timeout);
}

TEST_CASE_FIXTURE(Fixture, "a system without room for a process fails it") {
  begin(Duration{60'000});
  renewal->room();
  REQUIRE(end);
  CHECK(end->code == ExitCode::failed);
  CHECK(end->text ==
        "the new router failed while starting: the system has no room for another process; the old one serves on");
  CHECK(ends == 1);
}
