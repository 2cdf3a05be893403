#pragma once
// One router process as the master sees it. The end of the process is not in the table: it ends the machine in every
// state.
#include <array>
#include <cstdint>

#include "config/shared/router_view.hpp"

namespace gray::master {

enum class RouterEvent : std::uint8_t { hello, mismatch, ready, drain, drained, overdue, closed, count };
enum class RouterAction : std::uint8_t { none, send_table, announce, send_drain, kill };

struct RouterStep {
  RouterState next = RouterState::starting;
  RouterAction action = RouterAction::none;
};

namespace router_machine {

using S = RouterState;
using A = RouterAction;
inline constexpr auto kStates = static_cast<std::size_t>(S::count);
inline constexpr auto kEvents = static_cast<std::size_t>(RouterEvent::count);

/// A router that has not sent hello has no clients, so a drain simply ends it. A second drain is passed on, because it
/// may have a shorter timeout. A router that closes its channel should be dying; if it lives on, it can no longer
/// receive messages, and is overdue soon.
inline constexpr std::array<std::array<RouterStep, kEvents>, kStates> kTable{{
    // hello                        mismatch                ready                     drain
    // drained                      overdue                 closed
    {{{S::greeted, A::send_table},
      {S::ending, A::kill},
      {S::ending, A::kill},
      {S::ending, A::kill},
      {S::ending, A::kill},
      {S::ending, A::kill},
      {S::ending, A::none}}},  // starting
    {{{S::ending, A::kill},
      {S::ending, A::kill},
      {S::ready, A::announce},
      {S::draining, A::send_drain},
      {S::ending, A::kill},
      {S::ending, A::kill},
      {S::ending, A::none}}},  // greeted
    {{{S::ending, A::kill},
      {S::ending, A::kill},
      {S::ready, A::none},
      {S::draining, A::send_drain},
      {S::ending, A::kill},
      {S::ready, A::none},
      {S::ending, A::none}}},  // ready
    {{{S::ending, A::kill},
      {S::ending, A::kill},
      {S::draining, A::none},
      {S::draining, A::send_drain},
      {S::ending, A::none},
      {S::ending, A::kill},
      {S::ending, A::none}}},  // draining
    {{{S::ending, A::none},
      {S::ending, A::none},
      {S::ending, A::none},
      {S::ending, A::none},
      {S::ending, A::none},
      {S::ending, A::kill},
      {S::ending, A::none}}},  // ending
}};

}  // namespace router_machine

constexpr RouterStep step(RouterState state, RouterEvent event) {
  return router_machine::kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace gray::master
