#pragma once
// What a version group must know about all its slots together: how many are in which state, which may start, and the
// next deadline. It is kept up to date slot by slot, so that an event of one worker costs nothing for the others. Pure.
#include <array>
#include <map>
#include <optional>
#include <set>

#include "config/shared/version_view.hpp"
#include "supervisor/agenda.hpp"

namespace gray::supervisor {

class SlotCounts {
 public:
  struct Facts {
    WorkerState state = WorkerState::idle;
    bool wanted = false;
    bool current = false;  // has the target settings
    bool proven = false;
    bool startable = false;
    bool operator==(const Facts&) const = default;
  };

  void set(unsigned slot, const Facts& facts, std::optional<TimePoint> deadline);
  void erase(unsigned slot);
  void clear() { *this = {}; }

  std::size_t all() const { return facts_.size(); }
  std::size_t in(WorkerState state) const { return states_[static_cast<std::size_t>(state)]; }
  std::size_t wanted() const { return wanted_; }
  /// Of those with the target settings.
  std::size_t current() const { return current_; }
  std::size_t current_wanted() const { return current_wanted_; }
  /// Of those with the target settings, how many are healthy, or even proven, and of those, how many are wanted.
  std::size_t fit(bool proven) const { return fit_[proven]; }
  std::size_t fit_wanted(bool proven) const { return fit_wanted_[proven]; }
  /// The lowest one that may start.
  std::optional<unsigned> startable() const {
    return startable_.empty() ? std::nullopt : std::optional(*startable_.begin());
  }
  const Agenda<unsigned>& deadlines() const { return deadlines_; }
  /// The lowest number that no slot has.
  unsigned free_number() const { return free_; }
  /// How often a slot was counted, since the last clear().
  std::uint64_t visits() const { return visits_; }

 private:
  void count(unsigned slot, const Facts& facts, int by);

  std::map<unsigned, Facts> facts_;
  std::array<std::size_t, kWorkerStates> states_{};
  std::size_t wanted_ = 0, current_ = 0, current_wanted_ = 0;
  std::array<std::size_t, 2> fit_{}, fit_wanted_{};  // healthy; proven
  std::set<unsigned> startable_;
  Agenda<unsigned> deadlines_;
  unsigned free_ = 0;
  std::uint64_t visits_ = 0;
};

}  // namespace gray::supervisor
