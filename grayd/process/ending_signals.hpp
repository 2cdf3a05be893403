#pragma once
// The signals that end a program (SIGINT, SIGTERM, SIGHUP), held back while it exists: what this process has started is
// ended first. Threads that are started meanwhile hold them back, too.
#include <csignal>
#include <ctime>

#include "config/base/time.hpp"

namespace gray::master {

class EndingSignals {
 public:
  EndingSignals() {
    ::sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals_, signal);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
  }
  ~EndingSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
  /// Waits so long, or until one of them arrives: then true.
  bool arrive_within(Duration time) {
    const timespec limit{time.count() / 1'000, (time.count() % 1'000) * 1'000'000};
    return ::sigtimedwait(&signals_, nullptr, &limit) > 0;
  }

 private:
  sigset_t signals_{}, before_{};
};

}  // namespace gray::master
