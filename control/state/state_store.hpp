#pragma once
// Decisions of operators: weights, salts and the stable version of each service, and the stopped versions. They are
// saved in state_dir/state.json and win over the configuration file, across restarts and reloads. Each decision names
// the version that it is about; what becomes of it when that version is removed or changes its role is decided by
// control/traffic/weights.hpp. A save is temporary file,
// fsync, rename, fsync of the folder, on one writer thread, so that a stalled disk never delays an abort.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "config/base/restored.hpp"

namespace gray::control {

struct ServiceState {
  std::string stable;                        // empty: as configured
  std::map<std::string, double> weights;     // percent by version; absent: as configured
  std::map<std::string, std::string> salts;  // of the bucket of a version; absent: SERVICE/VERSION
  std::set<std::string> stopped;             // versions that an operator stopped; only an operator starts them again
  std::string was_stable = {};               // in the file only: the stable version when it was saved
  template <class Io>
  void archive(Io& io) {
    io("stable", stable);
    io("weights", weights);
    io("salts", salts);
    io("stopped", stopped);
    io("was_stable", was_stable);
    for (const auto& [version, weight] : weights)
      io.check("weights", weight >= 0 && weight <= 100, "an object of numbers from 0 to 100");
  }
  bool operator==(const ServiceState&) const = default;
};
using State = std::map<std::string, ServiceState>;  // by service

class StateStore {
 public:
  /// Creates `dir` (0700, with parents) if missing, takes its lock, starts the writer. Throws std::runtime_error with a
  /// one-line message if the folder cannot be used or another grayd holds the lock (the message has its pid).
  explicit StateStore(const std::string& dir);
  /// Without lock and writer until archive(Load&).
  StateStore(const std::string& dir, Restored);
  ~StateStore();  // writes what is queued, then ends the thread
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  /// The state of the last save. A missing file gives an empty state. A damaged one is moved aside (state.json.damaged)
  /// and reported in `warning`, and gives an empty state.
  State load(std::string& warning);
  /// Saves `state`; `done(error)` runs on the writer thread, `error` empty on success. A newer save supersedes a queued
  /// one.
  void save(State state, std::function<void(std::string error)> done);

  /// Every save is on disk or has failed, and its `done` was called.
  bool idle() const;

  /// Archives folder and lock. Only while idle.
  template <class Io>
  void archive(Io& io);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gray::control
