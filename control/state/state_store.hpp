#pragma once
// The RolloutStore of one grayd: state_dir/state.json, see state_json.hpp. A save is temporary file, fsync, rename,
// fsync of the folder, on one writer thread, so that a stalled disk never delays an abort. The lock of the folder makes
// this grayd the only writer, so the current revision is the one in memory.
#include <memory>
#include <string>

#include "config/base/restored.hpp"
#include "control/state/rollout_store.hpp"

namespace gray::control {

class StateStore final : public RolloutStore {
 public:
  /// Creates `dir` (0700, with parents) if missing, takes its lock, starts the writer. Throws std::runtime_error with a
  /// one-line message if the folder cannot be used or another grayd holds the lock (the message has its pid).
  explicit StateStore(const std::string& dir);
  /// Without lock and writer until archive(Load&).
  StateStore(const std::string& dir, Restored);
  ~StateStore() override;  // writes what is queued, then ends the thread
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  /// A missing file is revision 0. A damaged one is moved aside (state.json.damaged) and reported in `warning`, and is
  /// revision 0, too. A file of a grayd that did not count revisions is revision 0 with its state.
  Snapshot load(std::string& warning) override;
  Revision revision() const override;
  void save(State state, Author by, Revision expected, Done done) override;
  WatchId watch(Revision from, Changed changed) override;
  void unwatch(WatchId id) override;

  /// The state in `dir` without its lock, for a check before the start; empty if it cannot be read.
  static State peek(const std::string& dir);
  /// Every save is on disk or has failed, and its `done` was called.
  bool idle() const;

  /// Archives folder, lock and the current revision. Only while idle.
  template <class Io>
  void archive(Io& io);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
