#pragma once
// A RolloutStore in memory, as a store that several grayd share would answer: every call is carried out at once.
#include <map>
#include <utility>
#include <vector>

#include "control/state/rollout_store.hpp"

namespace gray::test {

class MemoryStore final : public control::RolloutStore {
 public:
  control::Snapshot load(std::string& warning) override {
    warning.clear();
    return now_;
  }
  control::Revision revision() const override { return now_.revision; }
  void save(control::State state, control::Author by, control::Revision expected, Done done) override {
    if (!failure.empty()) return done(control::SaveFailed{failure});
    if (expected != now_.revision) return done(control::Conflict{now_.revision, now_.by});
    now_ = {now_.revision + 1, std::move(state), std::move(by)};
    for (auto& [id, changed] : watchers_) changed(now_);
    done(control::Saved{now_.revision});
  }
  WatchId watch(control::Revision from, Changed changed) override {
    if (now_.revision > from) changed(now_);
    watchers_[++last_] = std::move(changed);
    return last_;
  }
  void unwatch(WatchId id) override { watchers_.erase(id); }

  std::string failure;  // of every save; empty: they succeed

 private:
  control::Snapshot now_;
  std::map<WatchId, Changed> watchers_;
  WatchId last_ = 0;
};

}  // namespace gray::test
