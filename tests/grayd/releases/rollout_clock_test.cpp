#include "grayd/releases/rollout_clock.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>

#include "tests/control/commands/fake_host.hpp"

// A look needs a supervisor with workers; tests/integration/rollout_test.py has the clock in a running grayd.
namespace gray::master {
namespace {

TEST_CASE("without a version that has users the clock does not run") {
  asio::io_context io;
  test::FakeHost host;
  host.settings.services[0].versions[1].weight = 0;
  control::Rollouts rollouts(host, host.settings, host.live);
  supervisor::Supervisor* none = nullptr;
  const MemorySampler* nothing = nullptr;
  RolloutClock clock({io, rollouts, *none, host.segment, host.rows, *nothing});
  clock.wake();
  CHECK(io.run() == 0);
}

}  // namespace
}  // namespace gray::master
