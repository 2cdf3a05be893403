#include "grayd/routers/router_child.hpp"

#include <fcntl.h>

#include <csignal>

#include "grayd/routers/router_spawn.hpp"
#include "router/process/router_main.hpp"
#include "supervisor/process/cgroup.hpp"

namespace gray::master {
namespace {

/// An inherited descriptor is not close-on-exec; this sets the flag again, as for every descriptor of the project.
UniqueFd take_over(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

/// No worker process may survive the master. The groups are recorded even without a cgroup; the cgroup also contains
/// processes that left their group.
void kill_workers(segment::Segment& segment, const std::string& cgroup) {
  for (const auto& group : segment->header.groups) {
    if (const auto pgid = group.load(); pgid > 1) ::kill(-pgid, SIGKILL);
  }
  if (!cgroup.empty()) supervisor::kill_worker_cgroup(cgroup.c_str());
}

}  // namespace

int run_router_child(const RouterArguments& arguments) {
  ::signal(SIGPIPE, SIG_IGN);
  proxy::Inheritance inheritance;
  inheritance.channel = take_over(arguments.channel);
  inheritance.segment = take_over(arguments.segment);
  inheritance.freed = take_over(arguments.freed);
  inheritance.access_log = take_over(arguments.access_log);
  for (int i = 0; i < arguments.listeners; ++i) {
    const bool proxied = i >= arguments.listeners - arguments.proxied;
    (proxied ? inheritance.proxied : inheritance.listeners).push_back(take_over(kFirstListenerFd + i));
  }
  inheritance.on_orphaned = [cgroup = arguments.cgroup](segment::Segment& segment) { kill_workers(segment, cgroup); };
  return proxy::run_router(std::move(inheritance));
}

}  // namespace gray::master
