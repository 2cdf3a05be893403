#pragma once
// What is due when: at most one time for each id. The next time is known without a search, so nothing is asked of ids
// that are not due. Pure.
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/base/time.hpp"

namespace gray::supervisor {

template <class Id>
class Agenda {
 public:
  /// Nothing: it is not due any more.
  void set(const Id& id, std::optional<TimePoint> at) {
    const auto found = times_.find(id);
    if (found != times_.end()) {
      if (at == found->second) return;
      order_.erase({found->second, id});
      if (!at) times_.erase(found);
    }
    if (!at) return;
    times_.insert_or_assign(id, *at);
    order_.emplace(*at, id);
  }
  void clear() {
    times_.clear();
    order_.clear();
  }
  std::optional<TimePoint> next() const { return order_.empty() ? std::nullopt : std::optional(order_.begin()->first); }
  /// The ids whose time has come, the earliest first. They stay until they get another time.
  std::vector<Id> due(TimePoint now) const {
    std::vector<Id> ids;
    for (auto entry = order_.begin(); entry != order_.end() && entry->first <= now; ++entry)
      ids.push_back(entry->second);
    return ids;
  }
  std::size_t size() const { return times_.size(); }

 private:
  std::map<Id, TimePoint> times_;
  std::set<std::pair<TimePoint, Id>> order_;
};

}  // namespace gray::supervisor
