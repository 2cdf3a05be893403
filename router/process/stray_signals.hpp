#pragma once
// Signals that somebody sends to the router, although only grayd itself acts on signals. They change nothing, and each
// sender gets one line in the log that names the right process.
//
// Silent: signals of the terminal and the kernel (no sender), and those of the service manager or of grayd, which are
// sent to every process of the service.
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "config/base/unique_fd.hpp"
#include "router/engine/engine.hpp"

namespace gray::proxy {

/// The line about a signal; empty: silent. `master`: the pid of grayd.
std::string stray_signal(int signal, pid_t sender, pid_t master);

class StraySignals final : public engine::ReadyHandler {
 public:
  /// Blocks the signals, for the calling thread and those that it starts later.
  StraySignals();

  /// To be watched; -1 if the kernel refused one: then they are ignored silently.
  int fd() const { return fd_.get(); }
  void on_ready() override;

 private:
  UniqueFd fd_;
};

}  // namespace gray::proxy
