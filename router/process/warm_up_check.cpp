#include "router/process/warm_up_check.hpp"

#include <algorithm>
#include <set>

namespace gray::proxy {

void WarmUpCheck::follow(const RoutingTable& table) {
  std::set<Key> named;
  for (const ServiceRoute& service : table.services) {
    for (const VersionRoute& version : service.versions) {
      for (const WorkerRoute& worker : version.workers) {
        const Key key{worker.cell, worker.generation};
        named.insert(key);
        if (begun_) continue;
        left_[key] = {
            worker.id, {0, worker.address, version.probe, version.probe_timeout, worker.owner, worker.cell}, {}};
      }
    }
  }
  begun_ = true;
  std::erase_if(left_, [&](const auto& entry) {
    const bool gone = !named.contains(entry.first);
    if (gone && entry.second.request.id != 0) --in_flight_;
    return gone;
  });
}

std::vector<ProbeRequest> WarmUpCheck::due(TimePoint now) {
  std::vector<ProbeRequest> requests;
  for (auto& [key, worker] : left_) {
    if (in_flight_ >= kAtOnce) break;
    if (worker.request.id != 0 || worker.next > now) continue;
    worker.request.id = ++last_id_;
    ++in_flight_;
    requests.push_back(worker.request);
  }
  return requests;
}

void WarmUpCheck::probed(std::uint64_t id, bool ok, const std::string& detail, TimePoint now) {
  const auto found =
      std::find_if(left_.begin(), left_.end(), [&](const auto& entry) { return entry.second.request.id == id; });
  if (id == 0 || found == left_.end()) return;
  --in_flight_;
  if (ok) {
    left_.erase(found);
    return;
  }
  complaint_ = found->second.id + ": " + detail;
  found->second.request.id = 0;
  found->second.next = now + kRetry;
}

std::optional<TimePoint> WarmUpCheck::next() const {
  std::optional<TimePoint> earliest;
  if (in_flight_ >= kAtOnce) return earliest;
  for (const auto& [key, worker] : left_) {
    if (worker.request.id == 0 && (!earliest || worker.next < *earliest)) earliest = worker.next;
  }
  return earliest;
}

}  // namespace gray::proxy
