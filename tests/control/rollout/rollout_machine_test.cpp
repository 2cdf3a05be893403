#include "control/rollout/rollout_machine.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace gray::control {
namespace {

using S = RolloutState;
using E = RolloutEvent;
using A = RolloutAction;

template <class Visit>
void for_each_pair(Visit visit) {
  for (std::size_t state = 0; state < kRolloutStates; ++state)
    for (std::size_t event = 0; event < kRolloutEvents; ++event) visit(static_cast<S>(state), static_cast<E>(event));
}

TEST_CASE("a rollout without incidents goes through its steps to promoted") {
  S state = S::starting;
  const auto feed = [&state](E event) {
    const auto [next, action] = transition(state, event);
    state = next;
    return action;
  };
  CHECK(feed(E::up) == A::raise);
  CHECK(feed(E::applied) == A::none);
  CHECK(state == S::holding);
  CHECK(feed(E::held) == A::raise);
  CHECK(feed(E::applied) == A::none);
  CHECK(feed(E::full) == A::make_stable);
  CHECK(feed(E::is_stable) == A::none);
  CHECK(state == S::promoted);
}

TEST_CASE("an abort is accepted in every state, ends in aborted, and changes nothing a second time") {
  for (std::size_t state = 0; state < kRolloutStates; ++state) {
    const auto aborted = transition(static_cast<S>(state), E::abort);
    CHECK(aborted.next == S::aborted);
    CHECK(aborted.action != A::refuse);
  }
  CHECK(transition(S::aborted, E::abort).action == A::none);
  CHECK(transition(S::promoted, E::abort).action == A::go_back);
}

TEST_CASE("a bad verdict and a failed version take the users away wherever the version may have some") {
  for (const S state : {S::starting, S::stepping, S::holding, S::paused, S::promoting}) {
    for (const E event : {E::judged_bad, E::version_failed}) {
      CHECK(transition(state, event).action == A::zero);
      CHECK(!is_running(transition(state, event).next));
    }
  }
}

TEST_CASE("nothing but abort and retry leads out of an end") {
  for_each_pair([](S state, E event) {
    if (is_running(state) || event == E::abort || event == E::retry) return;
    CHECK(transition(state, event).next == state);
    const auto action = transition(state, event).action;
    CHECK((action == A::none || action == A::refuse));
  });
}

TEST_CASE("the weight rises only from a state in which the version was up, or by an operator") {
  for_each_pair([](S state, E event) {
    const auto action = transition(state, event).action;
    if (action != A::raise && action != A::make_stable) return;
    const std::set<E> allowed{E::up, E::held, E::next, E::full};
    CHECK(allowed.contains(event));
  });
}

TEST_CASE("events of the system are never refused, and what is refused changes no state") {
  for_each_pair([](S state, E event) {
    if (transition(state, event).action != A::refuse) return;
    CHECK(event >= E::pause);
    CHECK(transition(state, event).next == state);
  });
}

TEST_CASE("each state has a name of its own") {
  std::set<std::string> names;
  for (std::size_t state = 0; state < kRolloutStates; ++state) names.insert(name_of(static_cast<S>(state)));
  CHECK(names.size() == kRolloutStates);
  CHECK(!names.contains(""));
}

}  // namespace
}  // namespace gray::control
