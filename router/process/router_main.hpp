#pragma once
// The router process from its first instruction to its last.
#include <vector>

#include "config/base/unique_fd.hpp"

namespace gray::proxy {

/// The descriptors that a router inherits from the master. `access_log` may be empty (off).
struct Inheritance {
  UniqueFd channel;
  UniqueFd segment;
  UniqueFd freed;  // the segment's event
  UniqueFd access_log;
  std::vector<UniqueFd> listeners;  // bound; the master calls listen() before it sends `listen`
  std::vector<UniqueFd> secured;    // the same; connections there begin with a TLS handshake
  std::vector<UniqueFd> proxied;    // the same; connections there begin with a PROXY header
};

/// Runs until drained (0) or the channel ends, because the master is dead (1). Called once, in its own process.
int run_router(Inheritance inheritance);

}  // namespace gray::proxy
