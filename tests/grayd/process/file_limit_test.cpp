#include "grayd/process/file_limit.hpp"

#include <doctest/doctest.h>

TEST_CASE("the soft limit is raised to the hard one, and the old one is returned") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low = before;
  low.rlim_cur = 256;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(gray::master::raise_file_limit() == 256);
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  CHECK(after.rlim_cur == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_CASE("the limit of another process is set, at most to its hard limit") {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  gray::master::set_file_limit(0, 100);
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  CHECK(now.rlim_cur == 100);
  gray::master::set_file_limit(0, RLIM_INFINITY);
  ::getrlimit(RLIMIT_NOFILE, &now);
  CHECK(now.rlim_cur == before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}
