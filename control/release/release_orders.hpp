#pragma once
// Whether a version may be deployed, made stable or removed now, and where an undo leads. Pure.
#include <map>
#include <string>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/base/wall_time.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

struct ReleaseVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line with the obstacle and what to do
  std::string confirm;  // not empty: it is refused only because it needs a confirmation; the text to confirm
};

struct DeployOrder {
  std::string service, version;
  std::map<std::string, std::string> env = {};  // laid over that of the release
};
/// `deployed`: the settings of the version, if the verdict is ok.
ReleaseVerdict judge_deploy(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                            const DeployOrder& order, VersionSettings& deployed);

struct PromoteOrder {
  std::string service, version;
  bool yes = false;  // although it is probably a mistake
};
/// `state`: as it will be when pending changes are saved.
ReleaseVerdict judge_promote(const Settings& settings, const State& state, const std::vector<VersionView>& views,
                             const PromoteOrder& order);

struct UndoOrder {
  std::string service;
  std::string to;  // empty: the stable version before
};
/// `target`: the version that becomes stable, if the verdict is ok.
ReleaseVerdict judge_undo(const Settings& settings, const State& state, const UndoOrder& order, std::string& target);

struct RemoveOrder {
  std::string service, version;
};
ReleaseVerdict judge_remove(const Settings& settings, const State& state, const RemoveOrder& order);

/// Whether all workers of the version can take requests.
bool is_fully_up(const VersionView* view, const VersionSettings& version);

}  // namespace gray::control
