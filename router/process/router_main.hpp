#pragma once
// The router process from its first instruction to its last.
#include <functional>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "config/shared/segment.hpp"

namespace gray::proxy {

/// The descriptors that a router inherits from the master. `access_log` may be empty (off).
struct Inheritance {
  UniqueFd channel;
  UniqueFd segment;
  UniqueFd freed;  // the segment's event
  UniqueFd access_log;
  std::vector<UniqueFd> listeners;  // bound; the master calls listen() before it sends `listen`
  std::vector<UniqueFd> proxied;    // the same; connections there begin with a PROXY header
  /// Called once when the channel ends without a drain: the master is dead and no worker may survive it. main.cpp sets
  /// a function that kills the workers, because the router does not know processes.
  std::function<void(segment::Segment&)> on_orphaned;
};

/// Runs until drained (0) or the channel ends (1, after on_orphaned). Called once, in its own process.
int run_router(Inheritance inheritance);

}  // namespace gray::proxy
