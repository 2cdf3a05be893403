#pragma once
// What an operator may do with a version, given what it does now. Pure: facts in, a verdict out.
//
// Whoever ends the stable version, one that has users, or one that is being restarted, must say that he means it.
#include <string>
#include <string_view>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/state_store.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

/// The verbs that act on one version.
enum class Action : std::uint8_t { start, stop, restart, drain };

Verb verb_of(Action action);
std::string_view name(Action action);

struct CommandVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line, what is in the way and what to do
  std::string confirm;  // not empty: it is refused only because nobody said "yes"; what he would agree to
};

struct VersionCommand {
  Action action;
  std::string service, version;
  bool yes = false;
};

CommandVerdict judge_command(const VersionCommand& command, const Settings& settings, const State& state,
                             const std::vector<VersionView>& views);

}  // namespace gray::control
