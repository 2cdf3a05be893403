#pragma once
// Saves the state of one grayd, one save after the other, each made from the revision before. While a save is running,
// the newest state waits; a waiting one that is superseded is part of the newer one, so the newer save completes both.
//
// A conflict means that another grayd has changed the state. Later saves are then conflicts, too, until the state is
// loaded again: this one must not overwrite what it has not read.
#include <functional>
#include <memory>
#include <string>

#include "config/base/exit_code.hpp"
#include "control/state/rollout_store.hpp"

namespace gray::control {

struct SaveEnd {
  ExitCode code = ExitCode::ok;
  std::string error;      // not ok: one line with the cause, which names who made a conflicting change
  Revision revision = 0;  // of the last successful save
};

/// Any thread.
class StateSaver {
 public:
  using Done = std::function<void(const SaveEnd&)>;

  /// The store must outlive every save; this object need not.
  explicit StateSaver(RolloutStore& store);
  ~StateSaver();
  StateSaver(const StateSaver&) = delete;
  StateSaver& operator=(const StateSaver&) = delete;

  /// The state was loaded with this revision.
  void begin(Revision revision);
  /// `done` runs on a thread of the store.
  void save(State state, Author by, Done done);
  Revision revision() const;

  /// Only while the store is idle.
  template <class Io>
  void archive(Io& io);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gray::control
