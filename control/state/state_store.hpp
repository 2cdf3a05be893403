#pragma once
// Decisions of operators: weights, salts and the stable version of each service, the stopped, deployed and former
// stable versions, and the rollout. They are saved in state_dir/state.json and win over the configuration file, across
// restarts and reloads. Each decision names the version that it is about; what becomes of it when that version is
// removed or changes its role is decided by control/traffic/weights.hpp. A save is temporary file, fsync, rename, fsync
// of the folder, on one writer thread, so that a stalled disk never delays an abort.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/base/restored.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "control/rollout/rollout.hpp"

namespace gray::control {

/// A version that is not in the file, with the settings that it was deployed with: a later change of the release does
/// not concern it.
struct DeployedVersion {
  VersionSettings settings;
  WallTime deployed_at{};
  bool removing = false;  // it drains, and is then dropped
  template <class Io>
  void archive(Io& io) {
    io("settings", settings);
    io("deployed_at", deployed_at);
    io("removing", removing);
    io.check("settings", !settings.command.empty() && !settings.command.front().empty(), "settings with a command");
    io.check("settings", settings.instances > 0 && settings.instances <= 256, "settings with 1 to 256 instances");
  }
  bool operator==(const DeployedVersion&) const = default;
};

/// A version that was stable, kept for `grayctl undo`.
struct Former {
  std::string name;
  WallTime since{};  // when it stopped being stable
  bool warm = true;  // it runs; false: that time is over, and grayd has stopped it
  template <class Io>
  void archive(Io& io) {
    io("name", name);
    io("since", since);
    io("warm", warm);
  }
  bool operator==(const Former&) const = default;
};

struct ServiceState {
  std::string stable;                        // empty: as configured
  std::map<std::string, double> weights;     // percent by version; absent: as configured
  std::map<std::string, std::string> salts;  // of the bucket of a version; absent: SERVICE/VERSION
  std::set<std::string> stopped;             // versions that an operator stopped; only an operator starts them again
  std::string was_stable = {};               // in the file only: the stable version when it was saved
  std::map<std::string, DeployedVersion> deployed = {};  // by name; none of them is in the configuration file
  std::vector<Former> formers = {};                      // newest last, each once
  std::optional<Rollout> rollout = {};                   // the last one
  std::map<std::string, WallTime> aborted = {};          // deployed versions whose rollout ended badly, and when
  std::set<std::string> withdrawn = {};                  // versions whose users were taken away, until they get users
  template <class Io>
  void archive(Io& io) {
    io("stable", stable);
    io("weights", weights);
    io("salts", salts);
    io("stopped", stopped);
    io("was_stable", was_stable);
    io("deployed", deployed);
    io("formers", formers);
    io("rollout", rollout);
    io("aborted", aborted);
    io("withdrawn", withdrawn);
    for (const auto& [name, version] : deployed)
      io.check("deployed", version.settings.name == name, "an object of versions by name");
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
  /// The state in `dir` without its lock, for a check before the start; empty if it cannot be read.
  static State peek(const std::string& dir);
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
