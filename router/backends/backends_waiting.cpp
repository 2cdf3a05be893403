// Requests that wait for a socket: which may wait, in which queue, and for whom a slow client loses its socket.
#include <algorithm>

#include "router/backends/backends.hpp"
#include "router/policy/pace.hpp"
#include "router/stats/row.hpp"

namespace gray::proxy {

using segment::Reason;

namespace {

constexpr int kDropsAtOnce = 64;        // requests that are dropped for one free socket
constexpr Duration kShedTogether{200};  // after a thread has found that requests have to be shed

}  // namespace

Reason Backends::enqueue(Version& version, WorkerSeeker& seeker) {
  if (seeker.awaits != nullptr) return Reason::none;  // acquire() has queued it
  if (!seeker.slow && version.closing() > version.expecting.size() && (seeker.repeats() || version.queue.size() == 0)) {
    seeker.expects = true;
    version.expecting.push(seeker, engine_.now(), version.limits.queue_timeout);
    return Reason::none;
  }
  const std::uint32_t excess = slow_share_.excess(version);
  if (!take_place(version, seeker, excess)) return Reason::queue_full;
  upstream::QueueLoad load = queue_load(version);
  --load.waiting;
  const TimePoint now = engine_.now();
  const bool admitted = version.shedding.admits(load, version.queue.oldest_wait(now), now);
  if (version.shedding.active()) waiting_.announce_shedding(version.row, now + kShedTogether);
  if (!admitted && excess == 0) {
    waiting_.leave_place(version.row);
    return Reason::overloaded;
  }
  wait_in_queue(version, seeker);
  make_room(version, seeker.slow ? Waiting::slow : Waiting::fair);
  return Reason::none;
}

// Slow clients hold their sockets for longer than the mean service time tells.
upstream::QueueLoad Backends::queue_load(const Version& version) const {
  const std::size_t sockets = version.sockets_in_use(engine_.now());
  const std::size_t slow = layout_.versions[version.row].slow.total();
  return {.waiting = waiting_.places_taken(version.row),
          .sockets = sockets > slow ? sockets - slow : std::min<std::size_t>(sockets, 1),
          .mean_service = version.service_time.mean(),
          .limit = version.limits.queue_timeout,
          .sheds_elsewhere = waiting_.shedding(version.row, engine_.now())};
}

// A socket is free. Those who cannot be served in time leave, a few in each turn: a refused client may begin its next
// request at once.
void Backends::drop_hopeless(Version& version) {
  const TimePoint now = engine_.now();
  version.shedding.serves(queue_load(version), version.queue.oldest_wait(now), now);
  for (int dropped = 0; dropped < kDropsAtOnce && version.queue.size() > 1; ++dropped) {
    WorkerSeeker& oldest = *version.queue.oldest();
    if (!version.shedding.drops(queue_load(version), version.queue.oldest_wait(now), version.queue.size() - 1)) return;
    version.queue.remove(oldest);
    left_queue(version, oldest);
    oldest.shed();
  }
}

// A full queue takes one request more for each socket that becomes free at once: that of a slow client, or an idle one
// of another thread. If its size was not set, it takes whom it serves soon: a count alone tells nothing about the wait.
bool Backends::take_place(const Version& version, const WorkerSeeker& seeker, std::uint32_t excess) {
  std::uint32_t places = (seeker.slow ? version.limits.queue / 2 : version.limits.queue) + excess;
  if (waiting_.take_place(version.row, std::min<std::uint32_t>(places, UINT16_MAX))) return true;
  places += slow_share_.idle(version);
  if (waiting_.take_place(version.row, std::min<std::uint32_t>(places, UINT16_MAX))) return true;
  if (!version.limits.queue_grows || seeker.slow) return false;
  const Micros oldest = version.queue.oldest_wait(engine_.now());
  return queue_load(version).in_time(oldest) && waiting_.take_place(version.row, UINT16_MAX);
}

// A request of that kind waits, here or on another thread.
void Backends::make_room(const Version& version, Waiting kind) {
  if (kind == Waiting::fair) slow_share_.cut(version, UINT64_MAX);
  if (kind != Waiting::slow) return;
  while (!slow_share_.admits(version) && slow_share_.cut(version, policy::kFairRate)) {
  }
}

// Not at once: the request for which it was cut is still being queued. The next advance() sorts.
void Backends::client_cut(Version& version) {
  version.unsorted = true;
  serve_waiters_at(engine_.now());
}

// Requests that find no room in the half of the queue for slow ones are refused, after all have been sorted: a refused
// client may begin its next request at once.
void Backends::sort_queue(Version& version) {
  upstream::WaitQueue<WorkerSeeker> refused;
  const std::size_t room = std::max<std::size_t>(version.limits.queue / 2, 1);
  for (WorkerSeeker* seeker = version.queue.oldest(); seeker != nullptr;) {
    WorkerSeeker& waiting = *std::exchange(seeker, seeker->next);
    if (!waiting.client_was_cut()) continue;
    version.queue.remove(waiting);
    const bool fits = version.slow_queue.size() < room;
    (fits ? version.slow_queue : refused).push(waiting, engine_.now(), version.limits.queue_timeout);
    if (fits) waiting.slow = true;
    if (!fits) left_queue(version, waiting);
  }
  publish_oldest(version);
  if (version.queue.size() == 0) waiting_.retract(version.row, Waiting::fair);
  if (version.slow_queue.size() > 0) waiting_.announce(version.row, Waiting::slow);
  while (WorkerSeeker* seeker = refused.oldest()) {
    refused.remove(*seeker);
    seeker->shed();
  }
}

void Backends::slow_client(Version& version, WorkerSeeker& seeker, std::uint64_t rate) {
  slow_share_.measured(version, seeker, rate);
  Waiting kind = waiting_.others(version.row);
  if (version.slow_queue.size() > 0) kind = std::max(kind, Waiting::slow);
  if (version.queue.size() > 0) kind = Waiting::fair;
  make_room(version, kind);
}

// The caller has taken a place in the queue.
void Backends::wait_in_queue(Version& version, WorkerSeeker& seeker) {
  (seeker.slow ? version.slow_queue : version.queue).push(seeker, engine_.now(), version.limits.queue_timeout);
  stats::add(counters_.row(version.row).waiting, 1);
  publish_oldest(version);
  waiting_.announce(version.row, seeker.slow ? Waiting::slow : Waiting::fair);
  for_each_giver(version, [&](std::uint32_t thread) { neighbours_.ask(thread, shard_id_.thread, version.row); });
  if (version.has_room(layout_)) serve_waiters_at(engine_.now());  // a unit became free before the announcement
  serve_when_trusted(version);
}

void Backends::leave_queue(Version& version, WorkerSeeker& seeker) {
  if (std::exchange(seeker.expects, false)) return version.expecting.remove(seeker);
  if (seeker.awaits != nullptr) return stop_awaiting(version, seeker);
  (seeker.slow ? version.slow_queue : version.queue).remove(seeker);
  left_queue(version, seeker);
  if (version.queue.size() == 0 && wanted_elsewhere(version) && !give_idle(version)) wake_others(version);
}

void Backends::left_queue(Version& version, const WorkerSeeker& seeker) {
  waiting_.leave_place(version.row);
  stats::add(counters_.row(version.row).waiting, -1);
  publish_oldest(version);
  if ((seeker.slow ? version.slow_queue : version.queue).size() > 0) return;
  waiting_.retract(version.row, seeker.slow ? Waiting::slow : Waiting::fair);
}

void Backends::publish_oldest(const Version& version) {
  const WorkerSeeker* oldest = version.queue.oldest() != nullptr ? version.queue.oldest() : version.slow_queue.oldest();
  waiting_.publish_oldest(version.row, oldest != nullptr ? std::optional(oldest->since) : std::nullopt);
}

void Backends::serve_waiters_at(TimePoint time) {
  if (!serve_timer_.armed() || time < serve_timer_.deadline()) engine_.timers().arm(serve_timer_, time);
}

// A suspect worker may have room, but is used only after that time.
void Backends::serve_when_trusted(const Version& version) {
  for (const Worker& worker : version.workers) {
    if (worker.able && worker.suspect_until > engine_.now()) serve_waiters_at(worker.suspect_until);
  }
}

void Backends::serve_waiters() {
  for (Version& version : versions_) {
    if (version.waiting()) advance(version);
    if (version.waiting()) serve_when_trusted(version);
  }
}

}  // namespace gray::proxy
