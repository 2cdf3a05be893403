#include "grayd/releases/release_clock.hpp"

#include <doctest/doctest.h>

#include "tests/control/commands/fake_host.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct ClockFixture : test::FakeHost {
  asio::io_context io;
  control::ReleaseVerbs verbs{*this, settings, live};
  unsigned looks = 0;
  ReleaseClock clock{io, verbs, [this] { ++looks; }};

  /// v1 was stable until now.
  void former(Duration warm) {
    settings.services[0].release.emplace();
    settings.services[0].release->warm = warm;
    live.change("web", [](control::ServiceState& web) {
      web.stable = "v3";
      web.formers = {{"v1", wall_now(), true}};
    });
  }
};

}  // namespace

TEST_CASE_FIXTURE(ClockFixture, "without former stables and removals nothing is done") {
  clock.soon();
  CHECK(io.poll() == 0);
}

TEST_CASE_FIXTURE(ClockFixture, "a former stable is drained at its deadline, not within the call") {
  former(Duration{30});
  clock.soon();
  clock.soon();
  CHECK(happened.empty());
  CHECK(io.run_one() == 1);
  CHECK(happened.empty());
  CHECK(looks == 1);
  io.run();
  CHECK(happened == std::vector<std::string>{"drain v1", "saved"});
}
