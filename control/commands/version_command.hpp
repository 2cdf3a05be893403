#pragma once
// Whether an operator may apply a command to a version in its current state. Pure.
//
// Ending the stable version, one that has users, or one that is being restarted needs a confirmation ("yes").
#include <string>
#include <string_view>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/service_state.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// The verbs that act on one version.
enum class Action : std::uint8_t { start, stop, restart, drain };

Verb verb_of(Action action);
std::string_view name(Action action);

struct CommandVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line with the obstacle and what to do
  std::string confirm;  // not empty: it is refused only because it needs a confirmation; the text to confirm
};

struct VersionCommand {
  Action action;
  std::string service, version;
  bool yes = false;
};

CommandVerdict judge_command(const VersionCommand& command, const Settings& settings, const State& state,
                             const std::vector<VersionView>& views);

}  // namespace gray::control
