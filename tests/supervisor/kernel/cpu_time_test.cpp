#include "supervisor/kernel/cpu_time.hpp"

#include <doctest/doctest.h>

#include "supervisor/kernel/process_table.hpp"

using namespace gray::supervisor;

TEST_CASE("all time but idle time and waiting for disks is busy; the time of guests is not counted twice") {
  const auto time = parse_cpu_time("cpu  10 20 30 1000 500 1 2 3 7 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
  REQUIRE(time);
  CHECK(time->all == 1566);
  CHECK(time->busy == 66);
  CHECK(parse_cpu_time("cpu 1 2 3 4 5")->busy == 6);
}

TEST_CASE("a text that is not understood has no time") {
  for (const char* text : {"", "cpu", "cpu 1 2 3 4", "intr 1 2 3 4 5 6 7 8", "cpu0 1 2 3 4 5 6 7 8"})
    CHECK_FALSE(parse_cpu_time(text));
}

TEST_CASE("the time of others can be read, and is less than that of the host") {
  const auto others = cpu_time_of_others();
  const auto host = parse_cpu_time(read_file("/proc/stat"));
  REQUIRE(others);
  REQUIRE(host);
  CHECK(others->all > 0);
  CHECK(others->all <= host->all);
  CHECK(others->busy <= others->all);
}
