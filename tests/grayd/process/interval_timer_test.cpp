#include "grayd/process/interval_timer.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace gray;
using namespace gray::master;

TEST_CASE("the task is called again and again, until it is stopped") {
  asio::io_context io;
  int calls = 0;
  IntervalTimer* self = nullptr;
  IntervalTimer timer(io, Duration{1}, [&] {
    if (++calls == 3) self->stop();
  });
  self = &timer;
  io.run();
  CHECK(calls == 0);
  io.restart();
  timer.start();
  io.run();
  CHECK(calls == 3);
}

TEST_CASE("a task that throws is called again") {
  asio::io_context io;
  int calls = 0;
  IntervalTimer timer(io, Duration{1}, [&] {
    if (++calls == 1) throw std::runtime_error("once");
  });
  timer.start();
  CHECK_THROWS_AS(io.run_one(), std::runtime_error);
  io.run_one();
  CHECK(calls == 2);
}

TEST_CASE("a timer that is destroyed calls no more") {
  asio::io_context io;
  int calls = 0;
  {
    IntervalTimer timer(io, Duration{1}, [&] { ++calls; });
    timer.start();
  }
  io.run();
  CHECK(calls == 0);
}
