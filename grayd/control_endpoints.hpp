#pragma once
// Where callers connect: the admin API, the metrics endpoint for programs that cannot reach the admin socket, and the
// page. The live feed of the admin API and the page is one. While
// the endpoints are closed the sockets stay open: callers that connect wait in the backlogs until the endpoints open
// again, in this image of grayd or the next. Main thread.
#include <functional>
#include <optional>

#include "config/settings/settings.hpp"
#include "control/api/admin_server.hpp"
#include "control/api/live_feed.hpp"
#include "control/api/metrics_server.hpp"
#include "control/daemon.hpp"
#include "control/dashboard/dashboard_server.hpp"
#include "grayd/holdings.hpp"

namespace gray::master {

class ControlEndpoints {
 public:
  /// All three outlive it. `ended`: called by any thread after close(), once for each endpoint without callers.
  ControlEndpoints(const Settings& settings, const Holdings& holdings, control::Daemon& daemon,
                   std::function<void()> ended)
      : settings_(settings), holdings_(holdings), daemon_(daemon), ended_(std::move(ended)) {}

  /// After close(): waits until the connected callers are gone.
  void open();
  /// Accepts no further connection; connected callers are answered, and streams end.
  void close();
  /// Closed, and no caller is connected.
  bool empty() const;
  /// Closes for good: no caller is connected when it returns.
  void remove();

 private:
  void drop();

  const Settings& settings_;
  const Holdings& holdings_;
  control::Daemon& daemon_;
  std::function<void()> ended_;
  bool open_ = false;
  std::optional<control::LiveFeed> feed_;  // outlives the two that use it
  std::optional<control::AdminServer> admin_;
  std::optional<control::MetricsServer> metrics_;
  std::optional<control::DashboardServer> dashboard_;
};

}  // namespace gray::master
