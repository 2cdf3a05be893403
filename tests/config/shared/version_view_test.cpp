#include "config/shared/version_view.hpp"

#include <doctest/doctest.h>

using namespace gray;

namespace {

/// The names of all values of an enum, in their order.
template <class State>
std::string names(State last) {
  std::string all;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(last); ++i)
    all += (i == 0 ? "" : " ") + std::string(name(static_cast<State>(i)));
  return all;
}

}  // namespace

TEST_CASE("states have the names of the contract") {
  CHECK(names(WorkerState::failed) == "idle spawned ready healthy unhealthy draining stopping exited backoff failed");
  CHECK(names(VersionState::failed) == "starting serving dark draining stopped failed");
  CHECK(names(ReplacementState::failed) == "running done failed");
}

TEST_CASE("a default view has no process, no address and no replacement") {
  const WorkerView worker;
  CHECK(worker.pid == 0);
  CHECK(worker.state == WorkerState::idle);
  CHECK_FALSE(worker.address);
  CHECK_FALSE(worker.routable);
  const VersionView version;
  CHECK(version.state == VersionState::stopped);
  CHECK(version.workers.empty());
  CHECK_FALSE(version.replacement);
}

TEST_CASE("replacements are compared by number, state, progress and reason") {
  const ReplacementView running{2, ReplacementState::running, 1, 4, ""};
  CHECK(running == ReplacementView{2, ReplacementState::running, 1, 4, ""});
  CHECK_FALSE(running == ReplacementView{2, ReplacementState::done, 1, 4, ""});
  CHECK_FALSE(running == ReplacementView{2, ReplacementState::running, 2, 4, ""});
}
