#include "control/api/cut_off.hpp"

#include <doctest/doctest.h>
#include <sys/eventfd.h>

#include <thread>

using namespace gray;
using namespace gray::control;

namespace {

struct CutOffFixture {
  CutOff cut_off;
  UniqueFd event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, other{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  bool wait(TimePoint until) const { return cut_off.wait(until, {event.get(), POLLIN, 0}, {other.get(), POLLIN, 0}); }
};

}  // namespace

TEST_CASE_FIXTURE(CutOffFixture, "a wait ends by either descriptor, or at its time") {
  CHECK_FALSE(wait(Clock::now() + Duration(1)));
  ::eventfd_write(other.get(), 1);
  CHECK(wait(TimePoint::max()));
  eventfd_t count = 0;
  ::eventfd_read(other.get(), &count);
  ::eventfd_write(event.get(), 1);
  CHECK(wait(TimePoint::max()));
}

TEST_CASE_FIXTURE(CutOffFixture, "a waiting thread is woken when the cut-off is set, and may wait until that time") {
  CHECK(cut_off.get() == TimePoint::max());
  std::thread waiter([&] { CHECK_FALSE(wait(TimePoint::max())); });
  const TimePoint when = Clock::now() + Duration(20);
  cut_off.set(when);
  waiter.join();
  CHECK(Clock::now() >= when);
  CHECK(cut_off.get() == when);
}

TEST_CASE_FIXTURE(CutOffFixture, "an event before the cut-off still counts, one after it does not") {
  cut_off.set(Clock::now() + Duration(20'000));
  ::eventfd_write(event.get(), 1);
  CHECK(wait(TimePoint::max()));
  CutOff past;
  past.set(Clock::now());
  CHECK_FALSE(past.wait(TimePoint::max(), {event.get(), POLLIN, 0}));
}
