#include "grayd/routers/router_upgrade_machine.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace gray::master;
using P = RouterUpgradePhase;
using E = RouterUpgradeEvent;
using A = RouterUpgradeAction;

namespace {

RouterUpgradeStep after(std::initializer_list<E> events) {
  RouterUpgradeStep now;
  for (const auto event : events) now = step(now.next, event);
  return now;
}

}  // namespace

TEST_CASE("a new router is made, greets, is ready, serves a while, and then the old one is retired") {
  CHECK(after({E::room}).action == A::spawn);
  CHECK(after({E::room, E::greeted}).next == P::proving);
  CHECK(after({E::room, E::greeted, E::ready}).action == A::listen);
  CHECK(after({E::room, E::greeted, E::ready, E::trial_over}).action == A::retire);
  CHECK(after({E::room, E::greeted, E::ready, E::trial_over}).next == P::done);
}

TEST_CASE("only the end of the trial, or the old one's own death in it, retires the old one") {
  for (std::size_t phase = 0; phase < static_cast<std::size_t>(P::count); ++phase) {
    for (std::size_t event = 0; event < static_cast<std::size_t>(E::count); ++event) {
      const auto now = step(static_cast<P>(phase), static_cast<E>(event));
      const bool retires = static_cast<P>(phase) == P::trial &&
                           (static_cast<E>(event) == E::trial_over || static_cast<E>(event) == E::bereft);
      CHECK((now.action == A::retire) == retires);
      CHECK((now.next == P::done && static_cast<P>(phase) != P::done) == retires);
    }
  }
}

TEST_CASE("the end of the new one fails every phase before done") {
  for (const auto phase : {P::waiting, P::starting, P::proving, P::trial}) {
    CHECK(step(phase, E::ended).next == P::failed);
    CHECK(step(phase, E::ended).action == A::none);
  }
}

TEST_CASE("who waits no longer, or lost the old one, ends the new one unless it serves") {
  for (const auto event : {E::overdue, E::bereft}) {
    CHECK(step(P::starting, event).action == A::cancel);
    CHECK(step(P::proving, event).action == A::cancel);
  }
  CHECK(step(P::waiting, E::overdue).next == P::failed);
  CHECK(step(P::waiting, E::bereft).next == P::waiting);
  CHECK(step(P::trial, E::overdue).next == P::trial);
}

TEST_CASE("nothing leads out of an end") {
  for (const auto phase : {P::done, P::failed}) {
    CHECK(is_over(phase));
    for (std::size_t event = 0; event < static_cast<std::size_t>(E::count); ++event) {
      CHECK(step(phase, static_cast<E>(event)).next == phase);
      CHECK(step(phase, static_cast<E>(event)).action == A::none);
    }
  }
  CHECK_FALSE(is_over(P::trial));
}
