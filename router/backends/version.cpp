#include "router/backends/version.hpp"

#include <algorithm>

#include "router/policy/affinity.hpp"

namespace gray::proxy {
namespace {

bool is_trusted(const Worker& worker, const Wish& wish, TimePoint now) {
  return worker.generation != wish.avoid && worker.suspect_until <= now;
}

// A request counts requests in flight. A tunnel counts tunnels: they last, whether or not they carry bytes.
std::uint32_t load(const Worker& worker, const segment::Layout& layout, const Wish& wish) {
  return wish.tunnel ? layout.workers[worker.cell].tunnels.total() : worker.in_flight - worker.tunnels;
}

}  // namespace

bool Version::up() const {
  return std::any_of(workers.begin(), workers.end(), [](const Worker& worker) { return worker.able; });
}

std::size_t Version::able() const {
  const auto able = std::count_if(workers.begin(), workers.end(), [](const Worker& worker) { return worker.able; });
  return static_cast<std::size_t>(able);
}

std::size_t Version::socket_limit() const { return able() * limits.max_sockets; }

std::size_t Version::sockets_in_use(TimePoint now) const {
  const auto trusted = std::count_if(workers.begin(), workers.end(), [now](const Worker& worker) {
    return worker.able && worker.suspect_until <= now;
  });
  return trusted == 0 ? socket_limit() : static_cast<std::size_t>(trusted) * limits.max_sockets;
}

std::size_t Version::closing() const {
  std::size_t count = 0;
  for (const Worker& worker : workers) count += worker.able ? worker.closing : 0;
  return count;
}

Worker* Version::find(std::uint32_t cell, std::uint64_t generation) {
  const auto found = std::find_if(workers.begin(), workers.end(), [=](const Worker& worker) {
    return worker.cell == cell && worker.generation == generation;
  });
  return found == workers.end() ? nullptr : &*found;
}

void Version::update(const std::vector<WorkerRoute>& routes, TimePoint now) {
  for (Worker& worker : workers) {
    worker.able = worker.able && std::any_of(routes.begin(), routes.end(), [&worker](const WorkerRoute& route) {
                    return route.cell == worker.cell && route.generation == worker.generation;
                  });
  }
  for (const WorkerRoute& route : routes) {
    Worker* worker = find(route.cell, route.generation);
    if (worker == nullptr) {
      worker = idle_sockets != nullptr ? &workers.emplace_back(*idle_sockets) : &workers.emplace_back();
      worker->version = this;
      worker->cell = route.cell;
      worker->generation = route.generation;
      worker->id = route.id;
      worker->slot_hash = policy::slot_hash(route.id);
      worker->address = route.address;
    }
    worker->owner = route.owner;
    if (!worker->able) join(*worker, now);
  }
  settle_starts(now);
}

void Version::join(Worker& worker, TimePoint now) {
  const bool beside_older = std::any_of(workers.begin(), workers.end(),
                                        [&](const Worker& other) { return other.able && other.start.older(now); });
  worker.start.begin(now, beside_older);
  worker.able = true;
}

// If no able worker is warm, all get their full share.
void Version::settle_starts(TimePoint now) {
  const bool warm = std::any_of(workers.begin(), workers.end(),
                                [now](const Worker& worker) { return worker.able && !worker.start.warming(now); });
  warm_at = {};
  for (Worker& worker : workers) {
    if (!warm) worker.start.finish();
    if (worker.able && worker.start.warming(now)) warm_at = std::max(warm_at, worker.start.warm_at());
  }
}

bool Version::has_room(const Worker& worker, const segment::Layout& layout, const Wish& wish) const {
  if (wish.tunnel && layout.workers[worker.cell].tunnels.total() >= limits.tunnels) return false;
  if (!wish.fresh && worker.idle.size() > 0) return true;
  const bool spare_unit = layout.workers[worker.cell].sockets.total() < limits.max_sockets;
  return spare_unit || (wish.fresh && !wish.spare && worker.idle.size() > 0);
}

bool Version::has_room(const segment::Layout& layout) const {
  return std::any_of(workers.begin(), workers.end(),
                     [&](const Worker& worker) { return worker.able && has_room(worker, layout, {}); });
}

// A worker in its slow start is a user's preferred one only from the user's turn on: each user moves to it once.
Worker* Version::preferred(const Wish& wish, TimePoint now) {
  Worker* found = nullptr;
  std::uint64_t highest = 0;
  for (Worker& worker : workers) {
    if (!worker.able) continue;
    const std::uint64_t score = policy::suitability(wish.affinity, worker.slot_hash);
    if (found != nullptr && score < highest) continue;
    if (worker.start.warming(now) && !worker.start.takes_user(now, static_cast<std::uint32_t>(score))) continue;
    found = &worker;
    highest = score;
  }
  return found == nullptr || !is_trusted(*found, wish, now) ? nullptr : found;
}

Worker* Version::least_loaded(const Wish& wish, const segment::Layout& layout, TimePoint now, Standard standard) {
  const std::size_t starters = standard == Standard::best && now < warm_at ? able() : 0;
  Worker* best = nullptr;
  std::uint32_t least = 0;
  for (Worker& worker : workers) {
    if (!worker.able || !has_room(worker, layout, wish)) continue;
    if (standard != Standard::any && !is_trusted(worker, wish, now)) continue;
    if (starters > 0 && worker.start.warming(now) && !worker.start.takes_part(now, starters)) continue;
    const std::uint32_t its = load(worker, layout, wish);
    const bool less = best == nullptr || its < least;
    if (!less && (its > least || worker.last_turn >= best->last_turn)) continue;
    best = &worker;
    least = its;
  }
  return best;
}

void Version::forget_gone() {
  workers.remove_if([](const Worker& worker) { return !worker.able && worker.open == 0 && worker.in_flight == 0; });
}

Worker* Version::choose(const Wish& wish, const segment::Layout& layout, TimePoint now) {
  Worker* worker = wish.affinity == 0 ? nullptr : preferred(wish, now);
  if (worker != nullptr && !has_room(*worker, layout, wish)) {
    if (wish.only_preferred) return nullptr;
    worker = nullptr;
  }
  if (worker == nullptr) {
    worker = least_loaded(wish, layout, now, Standard::best);
    if (worker != nullptr && now < warm_at) worker->start.taken();
  }
  if (worker == nullptr && now < warm_at) worker = least_loaded(wish, layout, now, Standard::trusted);
  // A suspect worker may be dead and not withdrawn yet: it is used only if there is no other one to wait for.
  const auto is_another = [&](const Worker& other) { return other.able && is_trusted(other, wish, now); };
  if (worker == nullptr && std::none_of(workers.begin(), workers.end(), is_another))
    worker = least_loaded(wish, layout, now, Standard::any);
  if (worker != nullptr) worker->last_turn = ++turns;
  return worker;
}

}  // namespace gray::proxy
