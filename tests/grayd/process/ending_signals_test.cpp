#include "grayd/process/ending_signals.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace gray;

TEST_CASE("a signal that ends a program is taken, not delivered, and the mask is as before afterwards") {
  sigset_t before{}, after{};
  ::sigprocmask(SIG_SETMASK, nullptr, &before);
  {
    master::EndingSignals signals;
    CHECK_FALSE(signals.arrive_within(Duration{0}));
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      ::kill(::getpid(), signal);
      CHECK(signals.arrive_within(Duration{5'000}));
    }
    CHECK_FALSE(signals.arrive_within(Duration{1}));
  }
  ::sigprocmask(SIG_SETMASK, nullptr, &after);
  CHECK(::sigismember(&after, SIGTERM) == ::sigismember(&before, SIGTERM));
}
