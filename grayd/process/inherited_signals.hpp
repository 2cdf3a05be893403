#pragma once
// Signal dispositions and masks that this process inherited from its parent or from the previous image. With an
// inherited ignored SIGCHLD, children could not be waited for; with a blocked SIGTERM, grayd could not be stopped.
#include <csignal>

namespace gray::master {

/// Sets every signal to its default and unblocks all. To be called before any thread or handler is created.
void reset_signals();

/// While it exists, no signal is delivered to this thread, nor to children that it forks, which still have our
/// handlers. It is the only thread that takes signals.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

/// Unblocks all signals; those that arrived during the exec are delivered now.
void release_signals();

}  // namespace gray::master
