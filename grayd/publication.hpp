#pragma once
// Decides when a routing table is made: once for all changes of a turn of the loop, or immediately for a caller that
// needs its number. The views of the workers are computed once, for the table and for everything that depends on it.
//
// A table costs something for every worker. After one, the next one waits ten times as long as that took, so that many
// changes in a row, as of workers that start, cost a tenth of the time and not a table each. A change after a quiet
// time is published at once. Main thread.
#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <vector>

#include "config/base/time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/traffic/publisher.hpp"
#include "grayd/process/lifetime.hpp"
#include "supervisor/supervisor.hpp"

namespace gray::master {

class Publication {
 public:
  /// Called after each table with the views that it was made of.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void published(const std::vector<VersionView>& views) = 0;
  };
  struct Dependencies {
    asio::io_context& io;
    const Settings& settings;
    const supervisor::Supervisor& supervisor;
    control::Rows& rows;
    control::Publisher& publisher;
    Listener& listener;
  };
  static constexpr int kShare = 10;
  static constexpr Duration kLongestWait{50};

  explicit Publication(Dependencies dependencies) : to_(dependencies), timer_(to_.io) {}

  /// At the end of this turn of the loop; after another table not before next_after().
  void soon();
  void now();
  /// Now, if something has changed since the last table.
  void flush() {
    if (pending_) now();
  }
  /// Every living router uses the newest table, and no change is pending.
  bool settled() const { return !pending_ && to_.publisher.settled(); }
  /// When the next table may be made, after one that took from `begin` to `end`. Pure.
  static TimePoint next_after(TimePoint begin, TimePoint end) {
    return end + std::min<TimePoint::duration>(kShare * (end - begin), kLongestWait);
  }
  const RoutingTable& newest() const { return to_.publisher.last(); }

 private:
  void release_rows(const std::vector<VersionView>& views);

  Dependencies to_;
  asio::steady_timer timer_;
  TimePoint next_{};
  bool pending_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
