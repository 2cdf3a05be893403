#pragma once
// The text of state.json: {"schema_version": 1, "revision", "who", "what", "services": {NAME: {"stable", "weights":
// {VERSION: percent}, "salts": {VERSION: salt}, "stopped": [VERSION], "was_stable", "deployed": {VERSION: {"settings",
// "deployed_at", "removing"}}, "formers": [{"name", "since", "warm"}], "rollout", "aborted": {VERSION: time},
// "withdrawn": [VERSION]}}}. "who" and "what" are those of the revision.
#include <stdexcept>
#include <string>
#include <string_view>

#include "control/state/rollout_store.hpp"

namespace gray::control {

/// The text was written by a newer grayd; overwriting it would lose state that this one does not know.
struct NewerState : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string to_json_text(const Snapshot& snapshot);
/// Throws NewerState for another schema_version, std::runtime_error with the cause for a damaged text.
Snapshot snapshot_from_json(std::string_view text);

}  // namespace gray::control
