#pragma once
// Before a new router reports ready, while another one still serves, it must reach every worker of its first table
// once, by a health check through its own threads. Pure: tables, answers and `now` in, probes out.
//
// Only the first table adds workers to reach, and later ones only remove some: a worker that the master no longer
// routes to (unhealthy, replaced) delays nothing, and one that was added later has been reached by the previous router.
// A worker that does not answer is probed again until it does, or is removed; the master decides how long that may
// take.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/time.hpp"
#include "config/shared/routing_table.hpp"
#include "router/process/prober.hpp"

namespace gray::proxy {

class WarmUpCheck {
 public:
  static constexpr Duration kRetry{100};                 // after a failed probe
  static constexpr std::size_t kAtOnce = 32;             // probes in flight
  static constexpr std::uint64_t kFirstId = 1ull << 63;  // the master's own probes count from 1

  /// Takes the first table, or a newer one.
  void follow(const RoutingTable& table);
  /// Probes to be started now.
  std::vector<ProbeRequest> due(TimePoint now);
  /// The answer to one of them.
  void probed(std::uint64_t id, bool ok, const std::string& detail, TimePoint now);
  /// When due() has more without another result; nothing: only after one.
  std::optional<TimePoint> next() const;

  /// There was a table, and all of its workers were reached or removed.
  bool complete() const { return begun_ && left_.empty(); }
  /// "web@v1#0: connect: Connection refused", of the last failed probe; empty before.
  const std::string& complaint() const { return complaint_; }
  static bool is_ours(std::uint64_t id) { return id >= kFirstId; }

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;  // cell and generation
  struct Worker {
    std::string id;
    ProbeRequest request;  // id 0: not in flight
    TimePoint next{};
  };

  std::map<Key, Worker> left_;
  std::uint64_t last_id_ = kFirstId - 1;
  std::size_t in_flight_ = 0;
  bool begun_ = false;
  std::string complaint_;
};

}  // namespace gray::proxy
