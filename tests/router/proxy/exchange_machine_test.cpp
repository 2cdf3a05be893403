#include "router/proxy/exchange_machine.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

using namespace gray::proxy;
using gray::segment::Reason;

namespace {

using Pair = std::pair<State, Event>;
using S = State;
using E = Event;
using A = Action;

// Every pair that can happen, written down a second time and independently of the table.
const std::map<Pair, Step> kExpected = {
    {{S::idle, E::request}, {S::seeking, A::acquire}},
    {{S::idle, E::body}, {S::gathering, A::gather}},
    {{S::idle, E::refused}, {S::idle, A::reply}},
    {{S::idle, E::client_gone}, {S::idle, A::none}},
    {{S::idle, E::deadline}, {S::idle, A::none}},
    {{S::gathering, E::gathered}, {S::seeking, A::acquire}},
    {{S::gathering, E::request_end}, {S::seeking, A::acquire}},
    {{S::gathering, E::refused}, {S::idle, A::reply}},
    {{S::gathering, E::deadline}, {S::seeking, A::acquire}},
    {{S::gathering, E::client_gone}, {S::idle, A::cut}},
    {{S::seeking, E::granted}, {S::sending, A::send_request}},
    {{S::seeking, E::dial}, {S::dialing, A::none}},
    {{S::seeking, E::queued}, {S::waiting, A::none}},
    {{S::seeking, E::refused}, {S::idle, A::reply}},
    {{S::seeking, E::retry}, {S::seeking, A::acquire}},
    {{S::seeking, E::missing}, {S::seeking, A::ask_next}},
    {{S::seeking, E::kept}, {S::idle, A::send_kept}},
    {{S::waiting, E::granted}, {S::sending, A::send_request}},
    {{S::waiting, E::dial}, {S::dialing, A::none}},
    {{S::waiting, E::refused}, {S::idle, A::reply}},
    {{S::waiting, E::deadline}, {S::idle, A::reply}},
    {{S::waiting, E::retry}, {S::seeking, A::acquire}},
    {{S::waiting, E::missing}, {S::seeking, A::ask_next}},
    {{S::waiting, E::client_gone}, {S::idle, A::forget}},
    {{S::dialing, E::connected}, {S::sending, A::send_request}},
    {{S::dialing, E::failed}, {S::judging, A::judge}},
    {{S::dialing, E::deadline}, {S::judging, A::judge}},
    {{S::dialing, E::client_gone}, {S::idle, A::cut}},
    {{S::sending, E::request_end}, {S::awaiting, A::await_response}},
    {{S::sending, E::response_head}, {S::early, A::start_response}},
    {{S::sending, E::failed}, {S::judging, A::judge}},
    {{S::sending, E::deadline}, {S::judging, A::judge}},
    {{S::sending, E::refused}, {S::idle, A::reply}},
    {{S::sending, E::client_gone}, {S::idle, A::cut}},
    {{S::awaiting, E::response_head}, {S::responding, A::start_response}},
    {{S::awaiting, E::missing}, {S::dropping, A::drop_answer}},
    {{S::awaiting, E::upgraded}, {S::tunnel, A::open_tunnel}},
    {{S::awaiting, E::failed}, {S::judging, A::judge}},
    {{S::awaiting, E::deadline}, {S::judging, A::judge}},
    {{S::awaiting, E::client_gone}, {S::idle, A::cut}},
    {{S::early, E::request_end}, {S::responding, A::none}},
    {{S::early, E::response_end}, {S::idle, A::finish_early}},
    {{S::early, E::failed}, {S::idle, A::cut}},
    {{S::early, E::refused}, {S::idle, A::cut}},
    {{S::early, E::deadline}, {S::idle, A::cut}},
    {{S::early, E::client_gone}, {S::idle, A::cut}},
    {{S::responding, E::response_end}, {S::idle, A::finish}},
    {{S::responding, E::failed}, {S::idle, A::cut}},
    {{S::responding, E::deadline}, {S::idle, A::cut}},
    {{S::responding, E::client_gone}, {S::idle, A::cut}},
    {{S::tunnel, E::response_end}, {S::idle, A::close_tunnel}},
    {{S::tunnel, E::failed}, {S::idle, A::cut}},
    {{S::tunnel, E::deadline}, {S::idle, A::expire_tunnel}},
    {{S::tunnel, E::client_gone}, {S::idle, A::cut}},
    {{S::judging, E::retry}, {S::seeking, A::acquire}},
    {{S::judging, E::give_up}, {S::idle, A::reply}},
    {{S::judging, E::missing}, {S::seeking, A::ask_next}},
    {{S::dropping, E::response_end}, {S::seeking, A::ask_next}},
    {{S::dropping, E::missing}, {S::seeking, A::ask_next}},
    {{S::dropping, E::failed}, {S::seeking, A::ask_next}},
    {{S::dropping, E::deadline}, {S::seeking, A::ask_next}},
    {{S::dropping, E::client_gone}, {S::idle, A::cut}},
};

template <typename Visit>
void for_each_pair(Visit visit) {
  for (int state = 0; state < static_cast<int>(S::count); ++state) {
    for (int event = 0; event < static_cast<int>(E::count); ++event) {
      visit(static_cast<S>(state), static_cast<E>(event));
    }
  }
}

bool waits(State state) { return state != S::idle && state != S::seeking && state != S::judging; }

std::vector<Event> possible(State state) {
  std::vector<Event> events;
  for (int event = 0; event < static_cast<int>(E::count); ++event) {
    if (step(state, static_cast<E>(event)).action != A::impossible) events.push_back(static_cast<E>(event));
  }
  return events;
}

}  // namespace

TEST_CASE("every pair of state and event does what it should, and all others are impossible and stay") {
  for_each_pair([](State state, Event event) {
    CAPTURE(name_of(state));
    CAPTURE(name_of(event));
    const auto row = kExpected.find({state, event});
    const Step expected = row == kExpected.end() ? Step{state, A::impossible} : row->second;
    CHECK(step(state, event).next == expected.next);
    CHECK(step(state, event).action == expected.action);
  });
}

TEST_CASE("a waiting exchange ends when its client leaves, and leaves its state at its deadline") {
  for_each_pair([](State state, Event event) {
    if (!waits(state)) return;
    CAPTURE(name_of(state));
    if (event == E::client_gone) CHECK(step(state, event).next == S::idle);
    if (event == E::deadline) CHECK_FALSE(waits(step(state, event).next));
  });
}

TEST_CASE("random events reach every state, and idle again from each") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::set<State> visited;
  State state = S::idle;
  for (int i = 0; i < 100'000; ++i) {
    const std::vector<Event> events = possible(state);
    REQUIRE_FALSE(events.empty());
    state = step(state, events[random() % events.size()]).next;
    visited.insert(state);
    if (waits(state)) REQUIRE(step(state, E::client_gone).next == S::idle);
  }
  CHECK(visited.size() == static_cast<std::size_t>(S::count));
}

TEST_CASE("a state is left for idle only by an action that ends the exchange") {
  const std::set<Action> endings = {A::reply,  A::finish,       A::finish_early,  A::cut,
                                    A::forget, A::close_tunnel, A::expire_tunnel, A::send_kept};
  for_each_pair([&](State state, Event event) {
    const Step taken = step(state, event);
    if (state == S::idle || taken.action == A::impossible || taken.next != S::idle) return;
    CAPTURE(name_of(state));
    CAPTURE(name_of(event));
    CHECK(endings.count(taken.action) == 1);
  });
}

TEST_CASE("no answer of the router follows a byte of a worker's answer") {
  for_each_pair([](State state, Event event) {
    if (state != S::early && state != S::responding && state != S::tunnel) return;
    CHECK(step(state, event).action != A::reply);
    CHECK(step(state, event).action != A::judge);
  });
}

TEST_CASE("the reason of a deadline names what was waited for") {
  CHECK(reason_of_deadline(S::waiting) == Reason::queue_timeout);
  CHECK(reason_of_deadline(S::dialing) == Reason::connect_timeout);
  CHECK(reason_of_deadline(S::tunnel) == Reason::tunnel_idle);
  for (const State state : {S::sending, S::awaiting, S::early, S::responding, S::dropping})
    CHECK(reason_of_deadline(state) == Reason::response_timeout);
}

TEST_CASE("states and events have names of their own") {
  std::set<std::string> names;
  for (int state = 0; state < static_cast<int>(S::count); ++state) names.insert(name_of(static_cast<S>(state)));
  CHECK(names.size() == static_cast<std::size_t>(S::count));
  names.clear();
  for (int event = 0; event < static_cast<int>(E::count); ++event) names.insert(name_of(static_cast<E>(event)));
  CHECK(names.size() == static_cast<std::size_t>(E::count));
}
