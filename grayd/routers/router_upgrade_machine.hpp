#pragma once
// The replacement of the serving router by a new one, as the master controls it. The old one is not changed before the
// new one has reached every worker and then served beside it for a while: a failure before the action `retire` leaves
// everything as it was.
//
//   waiting    the maximum number of routers exists: a draining one must end first
//   starting   its process was started; it has not sent hello
//   warm_up    it has the table, and its warm-up check asks every worker through its own threads
//   trial      it accepts connections beside the old one
#include <array>
#include <cstddef>
#include <cstdint>

namespace gray::master {

enum class RouterUpgradePhase : std::uint8_t { waiting, starting, warm_up, trial, done, failed, count };
enum class RouterUpgradeEvent : std::uint8_t {
  room,     // there is room for another router
  greeted,  // the new one
  ready,    // likewise
  trial_over,
  ended,             // the new one ended, or could not be started
  predecessor_died,  // the old router died
  overdue,           // the timeout of the upgrade is over
  count
};
/// spawn: start the new one. listen: let it accept. retire: drain the older ones. cancel: stop the new one.
enum class RouterUpgradeAction : std::uint8_t { none, spawn, listen, retire, cancel };

struct RouterUpgradeStep {
  RouterUpgradePhase next = RouterUpgradePhase::waiting;
  RouterUpgradeAction action = RouterUpgradeAction::none;
};

namespace router_upgrade_machine {

using P = RouterUpgradePhase;
using A = RouterUpgradeAction;
inline constexpr auto kPhases = static_cast<std::size_t>(P::count);
inline constexpr auto kEvents = static_cast<std::size_t>(RouterUpgradeEvent::count);

/// A router that dies is replaced in any case, without a warm-up check: so an upgrade whose old router died gives up,
/// unless the new one serves already.
inline constexpr std::array<std::array<RouterUpgradeStep, kEvents>, kPhases> kTable{{
    // room                        greeted                  ready                   trial_over
    // ended                       predecessor_died         overdue
    {{{P::starting, A::spawn},
      {P::waiting, A::none},
      {P::waiting, A::none},
      {P::waiting, A::none},
      {P::failed, A::none},
      {P::waiting, A::none},
      {P::failed, A::none}}},  // waiting
    {{{P::starting, A::none},
      {P::warm_up, A::none},
      {P::starting, A::none},
      {P::starting, A::none},
      {P::failed, A::none},
      {P::failed, A::cancel},
      {P::failed, A::cancel}}},  // starting
    {{{P::warm_up, A::none},
      {P::warm_up, A::none},
      {P::trial, A::listen},
      {P::warm_up, A::none},
      {P::failed, A::none},
      {P::failed, A::cancel},
      {P::failed, A::cancel}}},  // warm_up
    {{{P::trial, A::none},
      {P::trial, A::none},
      {P::trial, A::none},
      {P::done, A::retire},
      {P::failed, A::none},
      {P::done, A::retire},
      {P::trial, A::none}}},  // trial
    {{{P::done, A::none},
      {P::done, A::none},
      {P::done, A::none},
      {P::done, A::none},
      {P::done, A::none},
      {P::done, A::none},
      {P::done, A::none}}},  // done
    {{{P::failed, A::none},
      {P::failed, A::none},
      {P::failed, A::none},
      {P::failed, A::none},
      {P::failed, A::none},
      {P::failed, A::none},
      {P::failed, A::none}}},  // failed
}};

}  // namespace router_upgrade_machine

constexpr RouterUpgradeStep step(RouterUpgradePhase phase, RouterUpgradeEvent event) {
  return router_upgrade_machine::kTable[static_cast<std::size_t>(phase)][static_cast<std::size_t>(event)];
}

constexpr bool is_over(RouterUpgradePhase phase) { return phase >= RouterUpgradePhase::done; }

/// What the new router was doing when it failed, as in "failed while starting".
constexpr const char* name_of(RouterUpgradePhase phase) {
  constexpr const char* names[] = {"waiting for room",           "starting", "running its warm-up check",
                                   "serving beside the old one", "done",     "failed"};
  return names[static_cast<std::size_t>(phase)];
}

}  // namespace gray::master
