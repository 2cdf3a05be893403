#pragma once
// Decisions of operators: weights, salts and the stable version of each service, the stopped, deployed and former
// stable versions, and the rollout. A RolloutStore keeps them across restarts and reloads, and they win over the
// configuration file. Each decision names the version that it is about; what becomes of it when that version is removed
// or changes its role is decided by control/traffic/weights.hpp.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

}  // namespace gray::control
