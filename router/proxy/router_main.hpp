#pragma once
// The router process from its first instruction to its last.
#include <vector>

#include "config/unique_fd.hpp"

namespace gray::proxy {

/// What the master hands down, as inherited descriptors. `access_log` may be empty (off).
struct Inheritance {
  UniqueFd channel;
  UniqueFd segment;
  UniqueFd access_log;
  std::vector<UniqueFd> listeners;  // bound and listening, or to be listened to by the master before it says `listen`
};

/// Runs until drained (0) or the channel ends (1: after killing the process groups of the segment). Called once, in its own
/// process.
int run_router(Inheritance inheritance);

}  // namespace gray::proxy
