#pragma once
// A thread that takes no signals: SIGTERM, SIGHUP and SIGCHLD belong to the master's main thread alone.
#include <signal.h>

#include <thread>
#include <utility>

namespace gray::control {

template <typename Body>
std::thread quiet_thread(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // a new thread inherits the mask, so there is no moment without it
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace gray::control
