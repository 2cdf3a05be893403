#pragma once
// Calls a task at the ticks of an interval, from start() to stop(): see next_tick(). The next call is set before the
// task runs, so that a task that throws does not end the calls. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <system_error>
#include <utility>

#include "config/base/time.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class IntervalTimer {
 public:
  IntervalTimer(asio::io_context& io, Duration interval, std::function<void()> task)
      : timer_(io), interval_(interval), task_(std::move(task)) {}

  /// The first call is half an interval to one and a half later.
  void start() {
    timer_.expires_at(next_tick(Clock::now(), interval_));
    timer_.async_wait(lifetime_.guard([this](std::error_code error) {
      if (error) return;
      start();
      task_();
    }));
  }
  void stop() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
  Duration interval_;
  std::function<void()> task_;
  Lifetime lifetime_;
};

}  // namespace gray::master
