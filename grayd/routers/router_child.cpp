#include "grayd/routers/router_child.hpp"

#include <csignal>

#include "config/base/log.hpp"
#include "grayd/process/own_child.hpp"
#include "grayd/process/privileges.hpp"
#include "grayd/process/system_calls.hpp"
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
    const int plain = arguments.listeners - arguments.proxied - arguments.secured;
    const bool proxied = i >= plain + arguments.secured;
    auto& group = proxied ? inheritance.proxied : i >= plain ? inheritance.secured : inheritance.listeners;
    group.push_back(inherited_fd(kFirstListenerFd + i));
  }
  // Before the first message, of the master or of a client, and before a thread is started.
  if (const auto why = drop_privileges(arguments.user, 0); !why.empty()) {
    log(LogLevel::error, "router: " + why);
    return 1;
  }
  if (const auto why = limit_system_calls(ProcessKind::router); !why.empty()) log(LogLevel::warn, "router: " + why);
  return proxy::run_router(std::move(inheritance));
}

}  // namespace gray::master
