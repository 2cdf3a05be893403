#pragma once
// A hashed timer wheel: one list splice per timer, no allocation, no system call. Pure; `now` is passed in.
//
// Model: kWheelSlots slots of kTick each. A timer sits in the slot of its deadline, or of an earlier one: moving a
// deadline later only stores it (a keep-alive connection does that with every request), and the timer is moved when its
// old slot is visited. A deadline beyond one turn of the wheel stays in its slot until its turn.
//
// Invariants: a timer fires once, at most kTick late and never early, and is unlinked when it fires; disarm() and arm()
// are allowed from within any firing.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"

namespace gray::engine {

class TimerWheel;

/// What the wheel keeps of a timer. Only the wheel changes it.
struct TimerNode {
  using Fire = void (*)(void* owner, TimePoint now);
  void* owner = nullptr;
  Fire fire = nullptr;
  TimerWheel* wheel = nullptr;  // none: not armed
  TimerNode* next = nullptr;
  TimerNode** link = nullptr;  // the pointer that points here
  TimePoint due{};
  std::uint32_t wheel_slot = 0;
};

/// One timer of an owner. It must be disarmed before it dies (its destructor does).
class Timer final : public TimerNode {
 public:
  Timer(void* its_owner, Fire its_fire) : TimerNode{.owner = its_owner, .fire = its_fire} {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  bool armed() const { return wheel != nullptr; }
  TimePoint deadline() const { return due; }
};

class TimerWheel {
 public:
  static constexpr Duration kTick{8};
  static constexpr std::size_t kWheelSlots = 1024;  // a turn is about 8 s

  explicit TimerWheel(TimePoint start) : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  void arm(TimerNode& timer, TimePoint deadline) {
    const bool later = timer.wheel != nullptr && deadline >= timer.due;
    timer.due = deadline;
    if (!later) relink(timer);  // else visit() finds it before it is due, and links it again
  }
  void disarm(TimerNode& timer);
  /// Fires the timers that are due at `now`.
  void advance(TimePoint now);
  /// When advance() should be called next: exact to a tick, never after the first deadline; empty without timers.
  std::optional<TimePoint> next_wakeup() const;
  std::size_t size() const { return size_; }

 private:
  std::uint64_t tick_of(TimePoint time) const;
  void relink(TimerNode& timer);
  void link(TimerNode& timer, std::uint64_t tick);
  void unlink(TimerNode& timer);
  void visit(std::size_t wheel_slot, TimePoint now);

  TimePoint start_;
  std::uint64_t current_ = 0;  // the first tick that advance() has not finished
  std::size_t size_ = 0;
  std::array<TimerNode*, kWheelSlots> wheel_slots_{};
  std::array<std::uint64_t, kWheelSlots / 64> occupied_{};
};

}  // namespace gray::engine
