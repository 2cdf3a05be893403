#include "router/backends/slow_share.hpp"

#include <algorithm>
#include <utility>

namespace gray::proxy {
namespace {

constexpr std::size_t kShare = 2;   // slow requests may hold 1/kShare of the sockets while others wait
constexpr std::size_t kUnused = 4;  // and more while 1/kUnused of the sockets stays unused

std::uint32_t share_of(const Version& version) { return static_cast<std::uint32_t>(version.socket_limit() / kShare); }

}  // namespace

bool SlowShare::admits(const Version& version) const {
  const std::size_t limit = version.socket_limit();
  if (layout_.versions[version.row].slow.total() < std::max<std::size_t>(1, limit / kShare)) return true;
  std::size_t used = 0;
  for (const Worker& worker : version.workers) {
    if (worker.able) used += layout_.workers[worker.cell].sockets.total() - worker.closing;
  }
  return used - std::min<std::size_t>(used, idle(version)) + limit / kUnused < limit;
}

std::uint32_t SlowShare::idle(const Version& version) const {
  std::uint32_t sockets = 0;
  segment::for_each_written(layout_, router_slot_, version.row, [&sockets](const segment::Row& row) {
    sockets += row.idle.load(std::memory_order_relaxed);
  });
  return sockets;
}

std::uint32_t SlowShare::excess(const Version& version) const {
  const std::uint32_t held = layout_.versions[version.row].slow.total();
  return held - std::min(held, share_of(version));
}

void SlowShare::count(const Version& version, SlowRequest& request) {
  if (std::exchange(request.counted_, true)) return;
  layout_.versions[version.row].slow.acquire(router_slot_, UINT16_MAX);
}

void SlowShare::measured(const Version& version, SlowRequest& request, std::uint64_t rate) {
  count(version, request);
  request.rate_ = rate;
  if (!std::exchange(request.listed_, true)) measured_[version.row].push_back(&request);
}

void SlowShare::leave(const Version& version, SlowRequest& request) {
  if (std::exchange(request.counted_, false)) layout_.versions[version.row].slow.release(router_slot_);
  if (std::exchange(request.listed_, false)) std::erase(measured_[version.row], &request);
}

bool SlowShare::cut(const Version& version, std::uint64_t than) {
  const auto& requests = measured_[version.row];
  const auto slowest =
      std::ranges::min_element(requests, {}, [](const SlowRequest* request) { return request->rate_; });
  if (slowest == requests.end() || (*slowest)->rate_ >= than) return false;
  // One step: two threads that see the same excess must not both cut for it.
  if (!layout_.versions[version.row].slow.release_above(router_slot_, share_of(version))) return false;
  (*slowest)->counted_ = false;
  (*slowest)->cut_as_slow();
  return true;
}

}  // namespace gray::proxy
