#include "grayd/routers/router_upgrade_machine.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace gray::master;
using Phase = RouterUpgradePhase;
using Event = RouterUpgradeEvent;
using Action = RouterUpgradeAction;

namespace {

RouterUpgradeStep after(std::initializer_list<Event> events) {
  RouterUpgradeStep now;
  for (const auto event : events) now = step(now.next, event);
  return now;
}

}  // namespace

TEST_CASE("a new router starts, sends hello, is ready, serves a while, and then the old one is retired") {
  CHECK(after({Event::room}).action == Action::spawn);
  CHECK(after({Event::room, Event::greeted}).next == Phase::warm_up);
  CHECK(after({Event::room, Event::greeted, Event::ready}).action == Action::listen);
  CHECK(after({Event::room, Event::greeted, Event::ready, Event::trial_over}).action == Action::retire);
  CHECK(after({Event::room, Event::greeted, Event::ready, Event::trial_over}).next == Phase::done);
}

TEST_CASE("the old router is retired by the end of the trial, or by its own death during it") {
  for (std::size_t phase = 0; phase < static_cast<std::size_t>(Phase::count); ++phase) {
    for (std::size_t event = 0; event < static_cast<std::size_t>(Event::count); ++event) {
      const auto now = step(static_cast<Phase>(phase), static_cast<Event>(event));
      const bool retires =
          static_cast<Phase>(phase) == Phase::trial &&
          (static_cast<Event>(event) == Event::trial_over || static_cast<Event>(event) == Event::predecessor_died);
      CHECK((now.action == Action::retire) == retires);
      CHECK((now.next == Phase::done && static_cast<Phase>(phase) != Phase::done) == retires);
    }
  }
}

TEST_CASE("the end of the new router fails every phase before done") {
  for (const auto phase : {Phase::waiting, Phase::starting, Phase::warm_up, Phase::trial}) {
    CHECK(step(phase, Event::ended).next == Phase::failed);
    CHECK(step(phase, Event::ended).action == Action::none);
  }
}

TEST_CASE("a timeout, or the death of the old router, ends the new one unless it serves") {
  for (const auto event : {Event::overdue, Event::predecessor_died}) {
    CHECK(step(Phase::starting, event).action == Action::cancel);
    CHECK(step(Phase::warm_up, event).action == Action::cancel);
  }
  CHECK(step(Phase::waiting, Event::overdue).next == Phase::failed);
  CHECK(step(Phase::waiting, Event::predecessor_died).next == Phase::waiting);
  CHECK(step(Phase::trial, Event::overdue).next == Phase::trial);
}

TEST_CASE("done and failed are final") {
  for (const auto phase : {Phase::done, Phase::failed}) {
    CHECK(is_over(phase));
    for (std::size_t event = 0; event < static_cast<std::size_t>(Event::count); ++event) {
      CHECK(step(phase, static_cast<Event>(event)).next == phase);
      CHECK(step(phase, static_cast<Event>(event)).action == Action::none);
    }
  }
  CHECK_FALSE(is_over(Phase::trial));
}
