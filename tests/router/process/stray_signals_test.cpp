#include "router/process/stray_signals.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace gray;
using proxy::stray_signal;
using proxy::StraySignals;

TEST_CASE("a signal to the router names the process that acts on it") {
  CHECK(stray_signal(SIGHUP, 4711, 12) ==
        "router: SIGHUP from pid 4711 has no effect: the router does not act on signals; reload with: grayctl reload, "
        "or kill -HUP 12");
  CHECK(stray_signal(SIGUSR1, 4711, 12).ends_with("; reopen the access log with: kill -USR1 12"));
  CHECK(stray_signal(SIGTERM, 4711, 12).ends_with("; stop grayd with: kill -TERM 12"));
  CHECK(stray_signal(SIGUSR2, 4711, 12).ends_with("; grayd is 12"));
}

TEST_CASE("signals of the terminal, of the service manager and of grayd are silent") {
  for (const pid_t sender : {0, 1, 12}) CHECK(stray_signal(SIGTERM, sender, 12).empty());
}

TEST_CASE("signals are blocked and can be read, and no process ends of them") {
  const pid_t child = ::fork();
  if (child == 0) {
    StraySignals signals;
    for (const int signal : {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) ::kill(::getpid(), signal);
    pollfd entry{signals.fd(), POLLIN, 0};
    const bool readable = ::poll(&entry, 1, 0) == 1;
    signals.on_ready();
    ::_exit(readable && ::poll(&entry, 1, 0) == 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
