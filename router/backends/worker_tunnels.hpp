#pragma once
// The tunnels to the workers of one thread: how many a worker may have, and when those of a worker that is being
// drained are told to end.
#include <cstdint>
#include <functional>
#include <vector>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "router/backends/version.hpp"
#include "router/engine/engine.hpp"

namespace gray::proxy {

/// What drains within `timeout` ends its tunnels that much earlier, so that both sides get to read why.
inline Duration grace_period(Duration timeout) { return std::min(Duration{1'000}, timeout / 4); }

class WorkerTunnels {
 public:
  /// Ends those whose worker is to be left at `now`.
  using End = std::function<void(TimePoint now)>;
  WorkerTunnels(engine::Engine& engine, segment::Layout& layout, std::uint32_t router_slot,
                const std::vector<Version>& versions, End end);

  /// Whether an able worker has a tunnel to give.
  bool any_left(const Version& version) const;
  /// A unit of the worker's limit. False: it has none left.
  bool take(Worker& worker);
  void drop(Worker& worker);
  /// From the table: from when on the tunnels of which workers are to end. Without a route the version is gone.
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
