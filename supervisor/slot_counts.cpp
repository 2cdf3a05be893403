#include "supervisor/slot_counts.hpp"

#include <algorithm>

namespace gray::supervisor {

void SlotCounts::set(unsigned slot, const Facts& facts, std::optional<TimePoint> deadline) {
  ++visits_;
  deadlines_.set(slot, deadline);
  const auto [known, is_new] = facts_.try_emplace(slot, facts);
  if (is_new) {
    while (facts_.contains(free_)) ++free_;
  } else {
    if (known->second == facts) return;
    count(slot, known->second, -1);
    known->second = facts;
  }
  count(slot, facts, 1);
}

void SlotCounts::erase(unsigned slot) {
  const auto known = facts_.find(slot);
  if (known == facts_.end()) return;
  ++visits_;
  count(slot, known->second, -1);
  facts_.erase(known);
  deadlines_.set(slot, std::nullopt);
  free_ = std::min(free_, slot);
}

void SlotCounts::count(unsigned slot, const Facts& facts, int by) {
  const auto add = [by](std::size_t& number, bool holds) {
    if (holds) number += static_cast<std::size_t>(by);
  };
  add(states_[static_cast<std::size_t>(facts.state)], true);
  add(wanted_, facts.wanted);
  add(current_, facts.current);
  add(current_wanted_, facts.current && facts.wanted);
  for (const bool proven : {false, true}) {
    const bool fits = facts.current && (proven ? facts.proven : facts.state == WorkerState::healthy);
    add(fit_[proven], fits);
    add(fit_wanted_[proven], fits && facts.wanted);
  }
  if (by < 0)
    startable_.erase(slot);
  else if (facts.startable)
    startable_.insert(slot);
}

}  // namespace gray::supervisor
