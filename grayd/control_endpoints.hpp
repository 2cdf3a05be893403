#pragma once
// Where callers connect: the admin API, and the metrics endpoint for programs that cannot reach the admin socket. While
// the endpoints are closed the sockets stay open: callers that connect wait in the backlogs until the endpoints open
// again, in this image of grayd or the next. Main thread.
#include <functional>
#include <optional>

#include "control/api/admin_server.hpp"
#include "control/api/metrics_server.hpp"
#include "control/daemon.hpp"
#include "grayd/holdings.hpp"

namespace gray::master {

class ControlEndpoints {
 public:
  /// Both outlive it. `ended`: called by any thread after close(), once for each endpoint that has no callers left.
  ControlEndpoints(const Holdings& holdings, control::Daemon& daemon, std::function<void()> ended)
      : holdings_(holdings), daemon_(daemon), ended_(std::move(ended)) {}

  /// After close(): waits until the connected callers are gone.
  void open();
  /// Accepts no further connection; connected callers are answered.
  void close();
  /// Closed, and no caller is connected.
  bool empty() const;
  /// Closes for good: no caller is connected when it returns.
  void remove();

 private:
  const Holdings& holdings_;
  control::Daemon& daemon_;
  std::function<void()> ended_;
  bool open_ = false;
  std::optional<control::AdminServer> admin_;
  std::optional<control::MetricsServer> metrics_;
};

}  // namespace gray::master
