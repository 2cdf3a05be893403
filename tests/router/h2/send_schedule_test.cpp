#include "router/h2/send_schedule.hpp"

#include <doctest/doctest.h>

using namespace gray::h2;

TEST_CASE("Streams take turns, each once") {
  Stream a, b, c;
  SendSchedule schedule;
  CHECK(schedule.next() == nullptr);
  for (Stream* stream : {&a, &b, &c, &b}) schedule.add(*stream);
  CHECK(schedule.next() == &a);
  schedule.add(a);
  CHECK(schedule.next() == &b);
  CHECK(schedule.next() == &c);
  CHECK(schedule.next() == &a);
  CHECK(schedule.empty());
}

TEST_CASE("A stream is removed wherever it is") {
  Stream a, b, c;
  SendSchedule schedule;
  for (Stream* gone : {&a, &b, &c}) {
    for (Stream* stream : {&a, &b, &c}) schedule.add(*stream);
    schedule.remove(*gone);
    schedule.remove(*gone);
    CHECK(!gone->queued);
    for (Stream* stream : {&a, &b, &c}) {
      if (stream != gone) CHECK(schedule.next() == stream);
    }
    CHECK(schedule.empty());
    schedule.add(*gone);
    CHECK(schedule.next() == gone);
  }
}
