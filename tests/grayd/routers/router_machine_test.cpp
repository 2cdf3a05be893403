#include "grayd/routers/router_machine.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::master;
using S = RouterState;
using E = RouterEvent;
using A = RouterAction;

TEST_CASE("a router sends hello, gets ready, drains and ends") {
  CHECK(step(S::starting, E::hello).next == S::greeted);
  CHECK(step(S::starting, E::hello).action == A::send_table);
  CHECK(step(S::greeted, E::ready).next == S::ready);
  CHECK(step(S::greeted, E::ready).action == A::announce);
  CHECK(step(S::ready, E::drain).action == A::send_drain);
  CHECK(step(S::draining, E::drained).next == S::ending);
  CHECK(step(S::draining, E::drained).action == A::none);
}

TEST_CASE(
    "a router with a different layout, or a late one, is killed; one that closed its channel is expected to end") {
  for (const auto state : {S::starting, S::greeted, S::ready, S::draining}) {
    CAPTURE(name(state));
    CHECK(step(state, E::mismatch).action == A::kill);
    CHECK(step(state, E::closed).action == A::none);
    CHECK(step(state, E::closed).next == S::ending);
  }
  CHECK(step(S::starting, E::overdue).action == A::kill);
  CHECK(step(S::greeted, E::overdue).action == A::kill);
  CHECK(step(S::draining, E::overdue).action == A::kill);
  CHECK(step(S::ready, E::overdue).action == A::none);
}

TEST_CASE("a second drain is passed on; a drain before hello ends the router") {
  CHECK(step(S::draining, E::drain).action == A::send_drain);
  CHECK(step(S::starting, E::drain).action == A::kill);
}

TEST_CASE("ending is final, and only an overdue router is killed again") {
  for (std::size_t i = 0; i < static_cast<std::size_t>(E::count); ++i) {
    const auto now = step(S::ending, static_cast<E>(i));
    CHECK(now.next == S::ending);
    CHECK(now.action == (static_cast<E>(i) == E::overdue ? A::kill : A::none));
  }
}
