#pragma once
// Starts a program, usually this one, as a child that must be able to outlive us: a router or the guard. Main thread
// only; between fork and exec only async-signal-safe calls. The child leads its own process group, so that a terminal's
// Ctrl-C reaches only the master. It has no PDEATHSIG: both react to the end of a descriptor instead.
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "config/base/unique_fd.hpp"

namespace gray::master {

struct OwnChild {
  pid_t pid = 0;
  UniqueFd pidfd;
};

/// `arguments`: argv[0] first. `fds`: pairs of a borrowed descriptor and its number in the child, which is at least 3;
/// the child gets no other ones, except for 0 to 2. Throws std::system_error with `what` if the system has no free
/// process or descriptor.
OwnChild start_own_child(const std::string& program, std::vector<std::string> arguments,
                         const std::vector<std::pair<int, int>>& fds, const std::string& what);

/// An inherited descriptor is not close-on-exec; this sets the flag again, as for every descriptor of the project.
UniqueFd inherited_fd(int fd);

}  // namespace gray::master
