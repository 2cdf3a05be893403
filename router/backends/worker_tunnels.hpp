#pragma once
// The tunnels of one thread: how many a worker may have, and when the tunnels of a draining worker end.
#include <cstdint>
#include <functional>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/backends/version.hpp"
#include "router/engine/engine.hpp"

namespace gray::proxy {

/// How long before the end of a drain its tunnels end, so that both sides can still read a Close frame.
inline Duration grace_period(Duration timeout) { return std::min(Duration{1'000}, timeout / 4); }

class WorkerTunnels {
 public:
  /// Ends the tunnels whose worker's leave_at has come at `now`.
  using End = std::function<void(TimePoint now)>;
  WorkerTunnels(engine::Engine& engine, segment::Layout& layout, std::uint32_t router_slot,
                const std::vector<Version>& versions, End end);

  /// Whether an able worker has a tunnel to give.
  bool any_left(const Version& version) const;
  /// A unit of the worker's limit. False: it has none left.
  bool take(Worker& worker);
  void drop(Worker& worker);
  /// Plans from the table when tunnels of draining workers end. Without a route the version is gone.
  void plan(Version& version, const VersionRoute* route);

 private:
  void on_time(TimePoint now);

  engine::Engine& engine_;
  segment::Layout& layout_;
  std::uint32_t router_slot_;
  const std::vector<Version>& versions_;
  End end_;
  engine::Timer timer_;
};

}  // namespace gray::proxy
