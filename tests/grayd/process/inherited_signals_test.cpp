#include "grayd/process/inherited_signals.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

TEST_CASE("ignored and blocked signals are delivered again") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGCHLD, SIG_IGN);
    ::signal(SIGTERM, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    gray::master::reset_signals();
    struct sigaction children{};
    ::sigaction(SIGCHLD, nullptr, &children);
    if (children.sa_handler != SIG_DFL) ::_exit(1);
    ::raise(SIGTERM);
    ::_exit(2);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

TEST_CASE("a signal that arrives while signals are held is delivered afterwards") {
  static volatile std::sig_atomic_t seen = 0;
  ::signal(SIGUSR2, [](int) { seen = seen + 1; });
  {
    const gray::master::SignalsHeld held;
    ::raise(SIGUSR2);
    CHECK(seen == 0);
  }
  CHECK(seen == 1);
  ::signal(SIGUSR2, SIG_DFL);
}
