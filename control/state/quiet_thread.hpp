#pragma once
// A thread that blocks all signals: only the main thread of the master handles SIGTERM, SIGHUP and SIGCHLD.
#include <signal.h>

#include <thread>
#include <utility>

namespace gray::control {

template <typename Body>
std::thread quiet_thread(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits the mask, so it never runs without it
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace gray::control
