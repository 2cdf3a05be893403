#pragma once
// Where callers come in: the admin API, and the metrics for who cannot reach it. Shut, the sockets stay open, and who
// connects waits in their backlogs for the doors to open again, in this image of grayd or the next. Main thread.
#include <optional>

#include "control/api/admin_server.hpp"
#include "control/api/metrics_server.hpp"
#include "control/daemon.hpp"
#include "grayd/holdings.hpp"

namespace gray::master {

class ControlEndpoints {
 public:
  /// Both outlive it.
  ControlEndpoints(const Holdings& holdings, control::Daemon& daemon) : holdings_(holdings), daemon_(daemon) {}

  /// Waits for those who are in, if the doors were shut just before.
  void open();
  /// Lets nobody else in; who is in is answered.
  void shut();
  /// Shut, and everybody has gone.
  bool empty() const;
  /// The end: nobody is in any more when it returns.
  void remove();

 private:
  const Holdings& holdings_;
  control::Daemon& daemon_;
  bool open_ = false;
  std::optional<control::AdminServer> admin_;
  std::optional<control::MetricsServer> metrics_;
};

}  // namespace gray::master
