#pragma once
// Starts this program again as a router. Main thread only. It has no PDEATHSIG: the end of its channel ends it, after
// it has written its access log.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "grayd/process/privileges.hpp"

namespace gray::master {

/// The numbers of the inherited descriptors in the child. Listeners have consecutive numbers.
inline constexpr int kChannelFd = 3;
inline constexpr int kSegmentFd = 4;
inline constexpr int kAccessLogFd = 5;
inline constexpr int kFreedFd = 6;
inline constexpr int kFirstListenerFd = 7;

struct RouterCommand {
  std::string program = "/proc/self/exe";  // the same executable, even if its file was replaced since
  int segment = -1;                        // borrowed
  int freed = -1;                          // borrowed: Segment::freed()
  int access_log = -1;                     // borrowed; -1: off
  std::vector<int> listeners;              // borrowed
  std::optional<UserIds> user;             // none: grayd's own; set for each start
  std::size_t proxied = 0;                 // how many of them, the last ones: connections begin with a PROXY header
  std::size_t secured = 0;                 // how many of them, before those: connections begin with a TLS handshake

  /// The numbers of the borrowed descriptors are the same before and after an exec.
  template <class Io>
  void archive(Io& io) {
    io("segment", segment);
    io("freed", freed);
    io("access_log", access_log);
    io("listeners", listeners);
    io("proxied", proxied);
    io("secured", secured);
  }
};

struct RouterChild {
  pid_t pid = 0;
  UniqueFd pidfd;
  UniqueFd channel;  // the master's end, non-blocking
};

/// Throws std::system_error if the system has no free process or descriptor.
RouterChild spawn_router(const RouterCommand& command);

/// The child's arguments, argv[0] first.
std::vector<std::string> router_arguments(const RouterCommand& command);

}  // namespace gray::master
