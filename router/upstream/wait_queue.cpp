#include "router/upstream/wait_queue.hpp"

#include <algorithm>
#include <cassert>

namespace gray::upstream {
namespace {

bool is_expired(const Waiter& waiter, TimePoint now) { return waiter.deadline <= now; }

}  // namespace

void WaitQueue::push(Waiter& waiter, TimePoint now, Duration timeout) {
  assert(!waiter.linked && "a request waits once");
  if (!newest_) nonempty_since_ = now;
  const TimePoint deadline = newest_ ? std::max(now + timeout, newest_->deadline) : now + timeout;
  waiter = {.next = nullptr, .prev = newest_, .since = now, .deadline = deadline, .linked = true};
  (newest_ ? newest_->next : oldest_) = &waiter;
  newest_ = &waiter;
  ++size_;
}

Waiter* WaitQueue::pop(TimePoint now) {
  Waiter* waiter = newest_;
  if (!waiter || is_expired(*waiter, now)) return nullptr;
  if (!standing(now)) {
    for (waiter = oldest_; is_expired(*waiter, now);) waiter = waiter->next;
  }
  remove(*waiter);
  return waiter;
}

Waiter* WaitQueue::pop_expired(TimePoint now) {
  Waiter* waiter = oldest_;
  if (!waiter || !is_expired(*waiter, now)) return nullptr;
  remove(*waiter);
  return waiter;
}

void WaitQueue::remove(Waiter& waiter) {
  if (!waiter.linked) return;
  (waiter.next ? waiter.next->prev : newest_) = waiter.prev;
  (waiter.prev ? waiter.prev->next : oldest_) = waiter.next;
  waiter.next = waiter.prev = nullptr;
  waiter.linked = false;
  --size_;
}

bool WaitQueue::standing(TimePoint now) const { return oldest_ && now - nonempty_since_ >= kStanding; }

std::optional<TimePoint> WaitQueue::next_deadline() const {
  if (!oldest_) return std::nullopt;
  return oldest_->deadline;
}

std::optional<TimePoint> WaitQueue::oldest_since() const {
  if (!oldest_) return std::nullopt;
  return oldest_->since;
}

void ServiceTime::add(Micros sample) {
  sample = std::max(sample, Micros{1});  // 0 means "not known"
  scaled_ = scaled_ == Micros{0} ? sample * kWeight : scaled_ + sample - scaled_ / kWeight;
}

bool worth_waiting(std::size_t position, std::size_t slots, Micros mean_service, Duration limit) {
  if (slots == 0 || mean_service <= Micros{0}) return true;
  const double rounds = static_cast<double>(position) / static_cast<double>(slots);
  return rounds * static_cast<double>(mean_service.count()) <= static_cast<double>(Micros(limit).count());
}

}  // namespace gray::upstream
