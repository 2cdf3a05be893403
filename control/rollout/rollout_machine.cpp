#include "control/rollout/rollout_machine.hpp"

namespace gray::control {

const char* name_of(RolloutState state) {
  switch (state) {
    case RolloutState::starting: return "starting";
    case RolloutState::stepping: return "stepping";
    case RolloutState::holding: return "holding";
    case RolloutState::paused: return "paused";
    case RolloutState::promoting: return "promoting";
    case RolloutState::promoted: return "promoted";
    case RolloutState::aborted: return "aborted";
    case RolloutState::failed: return "failed";
    case RolloutState::count: break;
  }
  return "";
}

}  // namespace gray::control
