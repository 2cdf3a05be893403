#pragma once
// The life of a rollout as one table: state by event. Pure; the table is complete at compile time. rollout.hpp
// has the values of a rollout, control/commands/rollouts.hpp carries out the actions.
//
// Invariants
//  - An abort is accepted in every state. Where users have the version, it takes them away; where it has ended, it
//    changes nothing.
//  - The weight rises only by the actions raise and make_stable, and only in a state in which the version is up.
//  - What could not be saved has not happened: the rollout is then in the state before.
//  - No event leads out of promoted, aborted and failed, but abort and retry.
#include <array>
#include <cstddef>
#include <cstdint>

namespace gray::control {

/// Contract 2.6.
enum class RolloutState : std::uint8_t {
  starting,
  stepping,
  holding,
  paused,
  promoting,
  promoted,
  aborted,
  failed,
  count
};
constexpr RolloutState last_value(RolloutState) { return RolloutState::failed; }

enum class RolloutEvent : std::uint8_t {
  up,              // the version can serve
  version_failed,  // its workers are not started again
  applied,         // every router uses the weight of the step
  held,            // the hold time of the step is over, and the verdict is a pass
  judged_bad,      // the verdict is a fail, or the supervisor has found a fault
  is_stable,       // it was made the stable version, by the rollout or by an operator
  pause,           // this and the following: asked for by an operator
  resume,
  next,  // to the next step, without waiting
  full,  // to the end, without waiting
  abort,
  retry,
  count
};

enum class RolloutAction : std::uint8_t {
  none,
  raise,  // give the version the weight of the next step; after the last one it is make_stable
  make_stable,
  zero,     // take its users away
  go_back,  // it is stable already: make the stable version before it stable again
  begin,    // from the first step
  refuse,   // the event is a mistake in this state
};

struct RolloutTransition {
  RolloutState next;
  RolloutAction action;
};

inline constexpr std::size_t kRolloutStates = static_cast<std::size_t>(RolloutState::count);
inline constexpr std::size_t kRolloutEvents = static_cast<std::size_t>(RolloutEvent::count);

namespace rollout_table {

using S = RolloutState;
using E = RolloutEvent;
using A = RolloutAction;

struct Entry {
  S state;
  E event;
  S next;
  A action;
};

// What is not listed: an event of the system changes nothing, one of an operator is a mistake.
inline constexpr Entry kEntries[] = {
    {S::starting, E::up, S::stepping, A::raise},          {S::starting, E::version_failed, S::failed, A::zero},
    {S::starting, E::pause, S::paused, A::none},          {S::starting, E::judged_bad, S::aborted, A::zero},
    {S::starting, E::abort, S::aborted, A::zero},

    {S::stepping, E::applied, S::holding, A::none},       {S::stepping, E::pause, S::paused, A::none},
    {S::stepping, E::full, S::promoting, A::make_stable}, {S::stepping, E::version_failed, S::aborted, A::zero},
    {S::stepping, E::judged_bad, S::aborted, A::zero},    {S::stepping, E::abort, S::aborted, A::zero},

    {S::holding, E::held, S::stepping, A::raise},         {S::holding, E::next, S::stepping, A::raise},
    {S::holding, E::pause, S::paused, A::none},           {S::holding, E::full, S::promoting, A::make_stable},
    {S::holding, E::version_failed, S::aborted, A::zero}, {S::holding, E::judged_bad, S::aborted, A::zero},
    {S::holding, E::abort, S::aborted, A::zero},

    {S::paused, E::resume, S::holding, A::none},          {S::paused, E::next, S::stepping, A::raise},
    {S::paused, E::full, S::promoting, A::make_stable},   {S::paused, E::version_failed, S::aborted, A::zero},
    {S::paused, E::judged_bad, S::aborted, A::zero},      {S::paused, E::abort, S::aborted, A::zero},

    {S::starting, E::is_stable, S::promoted, A::none},    {S::stepping, E::is_stable, S::promoted, A::none},
    {S::holding, E::is_stable, S::promoted, A::none},     {S::paused, E::is_stable, S::promoted, A::none},
    {S::promoting, E::is_stable, S::promoted, A::none},   {S::promoting, E::version_failed, S::aborted, A::zero},
    {S::promoting, E::judged_bad, S::aborted, A::zero},   {S::promoting, E::abort, S::aborted, A::zero},

    {S::promoted, E::abort, S::aborted, A::go_back},      {S::aborted, E::abort, S::aborted, A::none},
    {S::aborted, E::retry, S::starting, A::begin},        {S::failed, E::abort, S::aborted, A::zero},
    {S::failed, E::retry, S::starting, A::begin},
};

using Table = std::array<std::array<RolloutTransition, kRolloutEvents>, kRolloutStates>;

consteval Table complete() {
  Table table{};
  for (std::size_t state = 0; state < kRolloutStates; ++state) {
    for (std::size_t event = 0; event < kRolloutEvents; ++event)
      table[state][event] = {static_cast<S>(state), event < static_cast<std::size_t>(E::pause) ? A::none : A::refuse};
  }
  for (const Entry& entry : kEntries)
    table[static_cast<std::size_t>(entry.state)][static_cast<std::size_t>(entry.event)] = {entry.next, entry.action};
  return table;
}
inline constexpr Table kTable = complete();

}  // namespace rollout_table

constexpr RolloutTransition transition(RolloutState state, RolloutEvent event) {
  return rollout_table::kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

/// Whether the rollout still changes by itself or waits for an operator.
constexpr bool is_running(RolloutState state) {
  return state != RolloutState::promoted && state != RolloutState::aborted && state != RolloutState::failed;
}

/// "starting", "stepping" and so on; never change.
const char* name_of(RolloutState state);

}  // namespace gray::control
