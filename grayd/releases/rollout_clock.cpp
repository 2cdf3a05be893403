#include "grayd/releases/rollout_clock.hpp"

#include "supervisor/kernel/process_table.hpp"

namespace gray::master {

RolloutClock::RolloutClock(Dependencies dependencies)
    : to_(dependencies),
      meter_{[this](pid_t pid) { return to_.supervisor.memory_bytes(pid); }, supervisor::open_files},
      timer_(dependencies.io) {}

void RolloutClock::wake() {
  if (!armed_ && to_.rollouts.looks()) arm();
}

/// One more look after the last one that is needed: it ends the watch of a version that has no users any more. The next
/// look is set before this one, so that a failing look does not end the clock.
void RolloutClock::arm() {
  armed_ = true;
  timer_.expires_after(control::Watch::kInterval);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (error) return;
    armed_ = false;
    if (to_.rollouts.looks()) arm();
    const auto views = to_.supervisor.view();
    to_.rollouts.advance(Clock::now(), {views, *to_.segment, to_.rows, meter_, [this](auto& service, auto& version) {
                                          return to_.memory.of(service, version);
                                        }});
  }));
}

}  // namespace gray::master
