#pragma once
// Lets the rollouts look at their versions, ten times a second while there is something to look at, and not at all
// otherwise. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "config/shared/segment.hpp"
#include "control/commands/rollouts.hpp"
#include "control/traffic/rows.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/releases/memory_sampler.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class RolloutClock {
 public:
  struct Dependencies {
    asio::io_context& io;
    control::Rollouts& rollouts;
    const supervisor::Supervisor& supervisor;
    segment::Segment& segment;
    const control::Rows& rows;
    const MemorySampler& memory;
  };
  explicit RolloutClock(Dependencies dependencies);

  /// To be called when a version may have got users, or a rollout may have begun.
  void wake();

 private:
  void arm();

  Dependencies to_;
  control::ProcessMeter meter_;
  asio::steady_timer timer_;
  bool armed_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
