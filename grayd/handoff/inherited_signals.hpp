#pragma once
// What whoever started grayd left of its signals. An ignored SIGCHLD would make children vanish unwaited, a blocked
// SIGTERM would never be heard.
#include <csignal>

namespace gray::master {

/// Every signal at its default, none blocked. Before any thread or handler is made.
void reset_signals();

/// While it lives, no signal is delivered to this thread, or to children that it forks: their handlers would still be
/// ours. It is the only thread that takes signals.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

/// What an image before this one held is delivered now.
void release_signals();

}  // namespace gray::master
