#include "router/upstream/service_time.hpp"

#include <doctest/doctest.h>

namespace gray::upstream {
namespace {

TimePoint at_micros(int micros) { return TimePoint{} + Micros{3'600'000'000 + micros}; }

/// So many samples, evenly over the intervals that they take.
void add_samples(ServiceTime& time, int count, int per_interval, Micros sample, int& now) {
  for (int i = 0; i < count; ++i) time.add(sample, at_micros(now += 100'000 / per_interval));
}

}  // namespace

TEST_CASE("the mean starts at the first sample and follows slowly") {
  ServiceTime time;
  CHECK(time.mean() == Micros{0});
  time.add(Micros{1600}, at_micros(0));
  CHECK(time.mean() == Micros{1600});
  time.add(Micros{3200}, at_micros(1));
  CHECK(time.mean() == Micros{1700});
  int now = 1;
  add_samples(time, 200, 10, Micros{3200}, now);
  CHECK(time.mean() >= Micros{3190});
  CHECK(time.mean() <= Micros{3200});
}

TEST_CASE("a mean of a few microseconds is not lost in rounding, and a sample of zero counts as known") {
  ServiceTime time;
  time.add(Micros{0}, at_micros(0));
  CHECK(time.mean() == Micros{1});
  int now = 0;
  add_samples(time, 200, 10, Micros{8}, now);
  CHECK(time.mean() >= Micros{7});
}

TEST_CASE("a stall of all sockets of a fast worker hardly changes the mean, a lasting change does within an interval") {
  ServiceTime time;
  int now = 0;
  add_samples(time, 10'000, 2'500, Micros{300}, now);
  for (int socket = 0; socket < 8; ++socket) time.add(Micros{60'000}, at_micros(now));
  CHECK(time.mean() < Micros{600});
  add_samples(time, 3 * 2'500, 2'500, Micros{3'000}, now);
  CHECK(time.mean() > Micros{2'700});
}

TEST_CASE("a worker that is rarely asked counts by samples, and so does a fast one after a pause") {
  ServiceTime time;
  int now = 0;
  add_samples(time, 100, 1, Micros{1'600}, now);
  add_samples(time, 1, 1, Micros{3'200}, now);
  CHECK(time.mean() == Micros{1'700});
  add_samples(time, 10'000, 2'500, Micros{1'600}, now);
  time.add(Micros{3'200}, at_micros(now += 1'000'000));
  CHECK(time.mean() == Micros{1'700});
}

}  // namespace gray::upstream
