#include "grayd/routers/router_child.hpp"

#include <csignal>

#include "grayd/process/own_child.hpp"
#include "grayd/routers/router_spawn.hpp"
#include "router/process/router_main.hpp"

namespace gray::master {

int run_router_child(const RouterArguments& arguments) {
  ::signal(SIGPIPE, SIG_IGN);
  proxy::Inheritance inheritance;
  inheritance.channel = inherited_fd(arguments.channel);
  inheritance.segment = inherited_fd(arguments.segment);
  inheritance.freed = inherited_fd(arguments.freed);
  inheritance.access_log = inherited_fd(arguments.access_log);
  for (int i = 0; i < arguments.listeners; ++i) {
    const bool proxied = i >= arguments.listeners - arguments.proxied;
    (proxied ? inheritance.proxied : inheritance.listeners).push_back(inherited_fd(kFirstListenerFd + i));
  }
  return proxy::run_router(std::move(inheritance));
}

}  // namespace gray::master
