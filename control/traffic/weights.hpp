#pragma once
// Who gets which share of the users: the configuration is intent, the state (what was shifted since) is fact and wins.
// Invariants: at most one version besides stable has a weight above 0; stable has what is left of 100. Pure.
#include <string>
#include <string_view>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"
#include "control/state/state_store.hpp"

namespace gray::control {

struct Shares {
  std::string stable;
  std::string canary;  // empty: all users are stable's
  double weight = 0;   // percent of users that the canary gets
  std::string salt;    // of the canary's bucket; empty without canary

  /// Percent of users that `version` gets.
  double of(std::string_view version) const;
  bool operator==(const Shares&) const = default;
};

/// What holds now. A stable or a weight in the state that names no configured version is ignored.
Shares shares_of(const ServiceSettings& service, const State& state);
/// What the file alone asks for.
Shares configured_shares(const ServiceSettings& service);

/// "there is no service "wbe", did you mean "web"? (known: web, api)"; empty if there is one.
std::string unknown_service(const Settings& settings, const std::string& service);
/// Likewise for a version of `service`.
std::string unknown_version(const ServiceSettings& service, const std::string& version);

struct ShiftVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line, what was wrong and what to do
  ServiceState next;    // ok: the state of the service after the shift
  bool lowers = false;  // published before it is persisted, so that a stalled disk never delays an abort
};

/// May `version` of `service` get `percent`? `wanted` holds shifts that are still being persisted, `published` does
/// not.
ShiftVerdict judge_shift(const Settings& settings, const State& published, const State& wanted,
                         const std::string& service, const std::string& version, double percent);

/// Whether users of the service come to the version, or may come at any moment.
bool carries_traffic(const Settings& settings, const State& state, const std::string& service,
                     const std::string& version);

/// Whether an operator stopped the version and nobody started it again.
bool is_stopped(const State& state, const std::string& service, const std::string& version);

/// `state` without services and versions that `settings` does not have.
State pruned(const State& state, const Settings& settings);

}  // namespace gray::control
