#pragma once
// Decides when a routing table is made: once for all changes of a turn of the loop, or immediately for a caller that
// needs its number. The views of the workers are computed once, for the table and for everything that depends on it.
// Main thread.
#include <asio/io_context.hpp>
#include <vector>

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
  explicit Publication(Dependencies dependencies) : to_(dependencies) {}

  /// At the end of this turn of the loop.
  void soon();
  void now();
  /// Now, if something has changed since the last table.
  void flush() {
    if (pending_) now();
  }
  /// Every living router uses the newest table, and no change is pending.
  bool settled() const { return !pending_ && to_.publisher.settled(); }
  const RoutingTable& newest() const { return to_.publisher.last(); }

 private:
  void release_rows(const std::vector<VersionView>& views);

  Dependencies to_;
  bool pending_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
