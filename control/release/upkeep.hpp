#pragma once
// What grayd itself does about former stables, aborted and removed versions, and when: a former stable is stopped when
// it has been one for `warm`, it is dropped when there are more than `keep` newer ones, a version whose rollout was
// aborted is removed after `warm`, and a removed version is forgotten when its last worker has ended. Pure; the time of
// day may jump, and then a former stable runs longer or shorter, but never longer than `warm` after it is right again.
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

struct Chore {
  enum class Kind : std::uint8_t {
    cool,     // its time as a warm version is over: it drains, and stays stopped
    drop,     // no longer kept for undo: a deployed one drains and is removed, one of the file drains
    discard,  // a deployed version whose rollout was aborted `warm` ago: it drains and is removed
    forget,   // it was removed, and has no workers left
  };
  Kind kind;
  std::string service, version;
  bool operator==(const Chore&) const = default;
};

struct Upkeep {
  std::vector<Chore> chores;     // now
  std::optional<Duration> next;  // until the next one, if nothing happens before
};

Upkeep upkeep(const Settings& settings, const State& state, const std::vector<VersionView>& views, WallTime now);

/// The state of the service after a chore.
void apply(ServiceState& fact, const Chore& chore, bool deployed);
/// A deployed version is to be removed once it has drained: it has no users from now on.
void mark_removed(ServiceState& fact, const std::string& version);

/// The state of a start: what was being removed is gone.
State without_removed(State saved);
/// Former stables whose time as warm versions is over are not started. `settings` are those in force.
State cooled(State state, const Settings& settings, WallTime now);

}  // namespace gray::control
