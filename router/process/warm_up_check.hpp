#pragma once
// What a new router does before it says ready while another one still serves: it reaches every worker of its first
// table once, by a health check through its own threads. Pure: tables, answers and `now` in, probes out.
//
// Only the first table gives workers to reach, and later ones only take away: whoever the master no longer routes to
// (unhealthy, replaced) holds nothing up, and one that came later was reached by the router before this one. A worker
// that does not answer is asked again until it does, or is taken away; how long that may take is the master's to say.
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
  static constexpr Duration kRetry{100};                 // after an answer that was none
  static constexpr std::size_t kAtOnce = 32;             // probes in flight
  static constexpr std::uint64_t kFirstId = 1ull << 63;  // the master's own probes count from 1

  /// The first table, or a newer one.
  void follow(const RoutingTable& table);
  /// Probes to be started now.
  std::vector<ProbeRequest> due(TimePoint now);
  /// The answer to one of them.
  void probed(std::uint64_t id, bool ok, const std::string& detail, TimePoint now);
  /// When due() has something again without an answer before; nothing: not before one.
  std::optional<TimePoint> next() const;

  /// There was a table, and nobody in it is left to be reached.
  bool complete() const { return begun_ && left_.empty(); }
  /// "web@v1#0: connect: Connection refused", of the last answer that was none; empty before.
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
