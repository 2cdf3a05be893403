#pragma once
// The router process from its first instruction to its last.
#include <functional>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "config/shared/segment.hpp"

namespace gray::proxy {

/// What the master hands down, as inherited descriptors. `access_log` may be empty (off).
struct Inheritance {
  UniqueFd channel;
  UniqueFd segment;
  UniqueFd freed;  // the segment's event
  UniqueFd access_log;
  std::vector<UniqueFd> listeners;  // bound; the master listens before it says `listen`
  std::vector<UniqueFd> proxied;    // the same; connections there begin with a PROXY header
  /// Called once when the channel ends without a drain: the master is dead and nothing may survive it. main.cpp wires
  /// what kills the workers, because the router knows no processes.
  std::function<void(segment::Segment&)> on_orphaned;
};

/// Runs until drained (0) or the channel ends (1, after on_orphaned). Called once, in its own
/// process.
int run_router(Inheritance inheritance);

}  // namespace gray::proxy
