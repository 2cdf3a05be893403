#pragma once
// Measures the memory of all workers each MemoryTrend::kInterval, from the start of grayd on. What it has recorded is
// handed over to the next image. Main thread.
#include <asio/io_context.hpp>
#include <map>
#include <string>
#include <utility>

#include "config/shared/segment.hpp"
#include "control/judge/version_memory.hpp"
#include "control/traffic/rows.hpp"
#include "grayd/process/interval_timer.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class MemorySampler {
 public:
  /// All outlive it.
  struct Dependencies {
    asio::io_context& io;
    const segment::Segment& segment;
    const control::Rows& rows;
    const supervisor::Supervisor& supervisor;
    Duration interval = control::MemoryTrend::kInterval;
  };
  explicit MemorySampler(Dependencies dependencies);

  void start() { timer_.start(); }
  void stop() { timer_.stop(); }
  /// Called by the timer.
  void sample(TimePoint now);
  /// Null: nothing was recorded.
  const control::VersionMemory* of(const std::string& service, const std::string& version) const;

  template <class Io>
  void archive(Io& io) {
    io("versions", versions_);
  }

 private:
  Dependencies to_;
  control::ProcessMeter meter_;
  IntervalTimer timer_;
  std::map<std::pair<std::string, std::string>, control::VersionMemory> versions_;  // by service and version
};

}  // namespace gray::master
