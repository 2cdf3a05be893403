#pragma once
// The state of a router process at one moment, as the master sees it. Plain values.
#include <sys/types.h>

#include <cstdint>

namespace gray {

/// Contract 2.3. The transitions are in grayd/routers/router_machine.hpp.
enum class RouterState : std::uint8_t { starting, greeted, ready, draining, ending, count };
constexpr RouterState last_value(RouterState) { return RouterState::ending; }
constexpr const char* name(RouterState state) {
  constexpr const char* names[] = {"starting", "greeted", "ready", "draining", "ending"};
  return names[static_cast<std::size_t>(state)];
}

struct RouterView {
  pid_t pid = 0;
  std::uint32_t slot = 0;  // its index in the segment
  RouterState state = RouterState::starting;
  std::uint64_t applied = 0;  // the newest table that all its threads use; 0: none
  double uptime_s = 0;
};

}  // namespace gray
