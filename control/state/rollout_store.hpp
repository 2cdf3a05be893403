#pragma once
// Where the state is kept: the file today (StateStore), and any store that several grayd share later. The contract,
// which tests/control/state/rollout_store_test.cpp checks for each implementation:
//
//  - Each save that succeeds makes a new revision; revisions rise. Revision 0 is the empty state: nothing was saved
//    yet.
//  - A save names the revision that its state was made from. If that is not the current one, nothing is written, and
//    the answer says who made the current one, and how (compare and swap).
//  - Saves are carried out in the order in which they were given. Each `done` is called exactly once, on a thread of
//    the store or on that of the caller; it may give the next save.
//  - A save that failed leaves the last state and its revision as they were.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "control/state/service_state.hpp"

namespace gray::control {

using Revision = std::uint64_t;

/// Who changed the state, and how.
struct Author {
  std::string who;   // "pid 4711, uid 1000", or "grayd"
  std::string what;  // "shift web v2"
  bool operator==(const Author&) const = default;
};

struct Snapshot {
  Revision revision = 0;
  State state;
  Author by;  // who made this revision; empty: not known
};

struct Saved {
  Revision revision = 0;
};
struct Conflict {
  Revision current = 0;
  Author by;  // who made it
};
struct SaveFailed {
  std::string error;  // one line with the cause
};
using SaveOutcome = std::variant<Saved, Conflict, SaveFailed>;

class RolloutStore {
 public:
  using Done = std::function<void(const SaveOutcome&)>;
  using Changed = std::function<void(const Snapshot&)>;
  using WatchId = std::uint64_t;

  virtual ~RolloutStore() = default;
  /// The last revision. To be called once, before the first save. Trouble that does not prevent the start is reported
  /// in `warning`. Throws std::runtime_error with one line for people if the store cannot be used.
  virtual Snapshot load(std::string& warning) = 0;
  /// Of the last load or save that has succeeded.
  virtual Revision revision() const = 0;
  /// Saves `state`, made from the revision `expected`.
  virtual void save(State state, Author by, Revision expected, Done done) = 0;
  /// Calls `changed` with the current revision if it is newer than `from`, and with each later one, whoever made it; if
  /// they come faster than it returns, only with the newest. It must not call watch() or unwatch().
  virtual WatchId watch(Revision from, Changed changed) = 0;
  /// After the return `changed` does not run, and is never called again.
  virtual void unwatch(WatchId id) = 0;
};

}  // namespace gray::control
