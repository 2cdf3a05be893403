#include "router/engine/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace gray::engine {

Timer::~Timer() {
  if (wheel != nullptr) wheel->disarm(*this);
}

// Rounded up, so that a timer is never early.
std::uint64_t TimerWheel::tick_of(TimePoint time) const {
  if (time <= start_) return 0;
  const auto elapsed = std::chrono::ceil<Duration>(time - start_);
  return static_cast<std::uint64_t>((elapsed + kTick - Duration{1}) / kTick);
}

void TimerWheel::relink(TimerNode& timer) {
  disarm(timer);
  link(timer, std::max(tick_of(timer.due), current_));
}

void TimerWheel::disarm(TimerNode& timer) {
  if (timer.wheel != nullptr) unlink(timer);
}

void TimerWheel::link(TimerNode& timer, std::uint64_t tick) {
  const auto wheel_slot = static_cast<std::uint32_t>(tick % kWheelSlots);
  timer.wheel = this;
  timer.wheel_slot = wheel_slot;
  timer.next = wheel_slots_[wheel_slot];
  timer.link = &wheel_slots_[wheel_slot];
  if (timer.next != nullptr) timer.next->link = &timer.next;
  wheel_slots_[wheel_slot] = &timer;
  occupied_[wheel_slot / 64] |= 1ull << (wheel_slot % 64);
  ++size_;
}

void TimerWheel::unlink(TimerNode& timer) {
  *timer.link = timer.next;
  if (timer.next != nullptr) timer.next->link = timer.link;
  if (wheel_slots_[timer.wheel_slot] == nullptr) occupied_[timer.wheel_slot / 64] &= ~(1ull << (timer.wheel_slot % 64));
  timer.wheel = nullptr;
  timer.next = nullptr;
  timer.link = nullptr;
  --size_;
}

// Takes the whole list first: timers that a firing adds to this slot belong to a later turn.
void TimerWheel::visit(std::size_t wheel_slot, TimePoint now) {
  TimerNode* pending = std::exchange(wheel_slots_[wheel_slot], nullptr);
  occupied_[wheel_slot / 64] &= ~(1ull << (wheel_slot % 64));
  if (pending != nullptr) pending->link = &pending;
  while (pending != nullptr) {
    TimerNode& timer = *pending;
    unlink(timer);
    if (timer.due <= now) {
      timer.fire(timer.owner, now);
    } else {
      link(timer, std::max(tick_of(timer.due), current_ + 1));
    }
  }
}

void TimerWheel::advance(TimePoint now) {
  if (now < start_) return;
  const auto target = static_cast<std::uint64_t>(std::chrono::floor<Duration>(now - start_) / kTick);
  if (target < current_) return;
  // A long stall visits every slot once, not once for each turn that was missed.
  const std::uint64_t first = target - std::min<std::uint64_t>(target - current_, kWheelSlots - 1);
  for (current_ = first; current_ <= target; ++current_) visit(current_ % kWheelSlots, now);
}

std::optional<TimePoint> TimerWheel::next_wakeup() const {
  if (size_ == 0) return std::nullopt;
  for (std::size_t step = 0; step < kWheelSlots;) {
    const std::size_t wheel_slot = (current_ + step) % kWheelSlots;
    const std::uint64_t word = occupied_[wheel_slot / 64] >> (wheel_slot % 64);
    if (word == 0) {
      step += 64 - wheel_slot % 64;
      continue;
    }
    step += static_cast<std::size_t>(std::countr_zero(word));
    return start_ + kTick * static_cast<std::int64_t>(current_ + step);
  }
  // Only the part of the current word below the starting slot is left: one whole turn away.
  return start_ + kTick * static_cast<std::int64_t>(current_ + kWheelSlots - 1);
}

}  // namespace gray::engine
