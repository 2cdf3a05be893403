#pragma once
// The verbs `rollout ...`: the view of a rollout, and following it to its end.
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/exit_code.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"
#include "control/grayctl/terminal.hpp"

namespace gray::control {

bool is_rollout(Verb verb);
/// For these verbs. With --watch or --wait it follows the rollout: on a terminal in place, elsewhere one line for each
/// change, both to `err`.
Outcome run_rollout(Client& client, const Command& command, const Terminal& terminal, const Person& person,
                    std::ostream& err);

// The parts of it that are pure. `status` is the body of `rollout status`.

/// Several lines, each at most as wide as the terminal: state, steps, verdict with the figures of both versions, and
/// the command to go back.
std::string view_rollout(const nlohmann::json& status, const Terminal& terminal);
/// The result of a verdict, and a table of the figures of both versions.
std::string view_verdict(const nlohmann::json& verdict, const Terminal& terminal);
/// One line; it differs only when the rollout has changed.
std::string line_of_rollout(const nlohmann::json& status);
bool is_rollout_over(const nlohmann::json& status);
/// 6 aborted, 1 failed, else 0.
ExitCode exit_code_of_rollout(const nlohmann::json& status);

}  // namespace gray::control
