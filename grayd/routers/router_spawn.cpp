#include "grayd/routers/router_spawn.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "grayd/process/own_child.hpp"

namespace gray::master {

std::vector<std::string> router_arguments(const RouterCommand& command) {
  std::vector<std::string> arguments{"grayd",     "router",
                                     "--channel", std::to_string(kChannelFd),
                                     "--segment", std::to_string(kSegmentFd),
                                     "--freed",   std::to_string(kFreedFd)};
  if (command.access_log >= 0) {
    arguments.insert(arguments.end(), {"--access-log", std::to_string(kAccessLogFd)});
  }
  arguments.insert(arguments.end(), {"--listeners", std::to_string(command.listeners.size())});
  if (command.proxied > 0) arguments.insert(arguments.end(), {"--proxied", std::to_string(command.proxied)});
  if (command.secured > 0) arguments.insert(arguments.end(), {"--secured", std::to_string(command.secured)});
  if (command.user) {
    arguments.insert(arguments.end(),
                     {"--uid", std::to_string(command.user->uid), "--gid", std::to_string(command.user->gid)});
  }
  return arguments;
}

RouterChild spawn_router(const RouterCommand& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "make a channel");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  std::vector<std::pair<int, int>> fds{
      {theirs.get(), kChannelFd}, {command.segment, kSegmentFd}, {command.freed, kFreedFd}};
  if (command.access_log >= 0) fds.emplace_back(command.access_log, kAccessLogFd);
  for (std::size_t i = 0; i < command.listeners.size(); ++i) {
    fds.emplace_back(command.listeners[i], kFirstListenerFd + static_cast<int>(i));
  }
  auto child = start_own_child(command.program, router_arguments(command), fds, "start a router");
  return {child.pid, std::move(child.pidfd), std::move(ours)};
}

}  // namespace gray::master
