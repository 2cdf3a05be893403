#pragma once
// Samples the counters of all versions every 5 s while users are served, for the figures of the last minute. They are
// not handed over: after an upgrade of grayd the minute begins anew. Main thread.
#include <asio/io_context.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "config/settings/settings.hpp"
#include "config/shared/segment.hpp"
#include "control/report/last_minute.hpp"
#include "control/traffic/rows.hpp"
#include "grayd/process/interval_timer.hpp"

namespace gray::master {

class MinuteSampler {
 public:
  /// All outlive it.
  struct Dependencies {
    asio::io_context& io;
    const Settings& settings;  // in force
    const segment::Segment& segment;
    const control::Rows& rows;
    Duration interval = control::LastMinute::kInterval;
  };
  explicit MinuteSampler(Dependencies dependencies)
      : to_(dependencies), timer_(to_.io, to_.interval, [this] { sample(Clock::now()); }) {}

  /// The counts of now and before are never in the figures.
  void start(TimePoint now);
  void stop();
  /// Called by the timer.
  void sample(TimePoint now);
  /// 0 before start(), and for a version without a row.
  control::MinuteFigures figures(const std::string& service, const std::string& version, TimePoint now) const;

 private:
  using Name = std::pair<std::string, std::string>;  // service, version

  Dependencies to_;
  IntervalTimer timer_;
  std::map<Name, control::LastMinute> minutes_;
  std::optional<TimePoint> sampled_;  // the last time; nothing: not started
};

}  // namespace gray::master
