#pragma once
// The share of users of each version. The configuration has initial values; the state (later shifts) wins.
// Invariants: at most one version besides stable has a weight above 0; stable has the rest of 100. Nothing that was
// decided about a version applies to a later one: when a version leaves the configuration, by a reload or while grayd
// did not run, all of it is dropped; when one becomes stable, what it was as a canary is. Pure.
#include <string>
#include <string_view>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"
#include "control/history/audit_entry.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

struct Shares {
  std::string stable;
  std::string canary;  // empty: all users get stable
  double weight = 0;   // percent of users that the canary gets
  std::string salt;    // of the bucket of the canary; empty without canary

  /// Percent of users that `version` gets.
  double of(std::string_view version) const;
  bool operator==(const Shares&) const = default;
};

/// The current shares. A stable version or weight in the state is ignored if the version is not configured.
Shares shares_of(const ServiceSettings& service, const State& state);
/// Of the bucket of a version, while it has users or if it got some.
std::string salt_of(const ServiceSettings& service, const State& state, const std::string& version);
/// The current shares as the history keeps them.
Split split_of(const ServiceSettings& service, const State& state);
/// The shares in the file.
Shares configured_shares(const ServiceSettings& service);

/// "there is no service "wbe", did you mean "web"? (known: web, api)"; empty if there is one.
std::string unknown_service(const Settings& settings, const std::string& service);
/// Likewise for a version of `service`.
std::string unknown_version(const ServiceSettings& service, const std::string& version);

struct ShiftOrder {
  std::string service, version;
  double percent = 0;
  bool yes = false;  // even if it is probably a mistake
};

struct ShiftVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line with the error and what to do
  ServiceState next;    // ok: the state of the service after the shift
  bool lowers = false;  // published before it is saved, so that a stalled disk never delays an abort
};

/// Whether the version may get that share. `wanted` has shifts that are still being saved, `published` does not.
ShiftVerdict judge_shift(const Settings& settings, const State& published, const State& wanted,
                         const ShiftOrder& order);

/// Whether the version has users, or may get some at any moment.
bool carries_traffic(const Settings& settings, const State& state, const std::string& service,
                     const std::string& version);

/// Whether an operator stopped the version and it was not started again.
bool is_stopped(const State& state, const std::string& service, const std::string& version);

/// Whether the users of the version were taken away, and it got none since: an abort, an alarm or an undo.
bool is_withdrawn(const State& state, const std::string& service, const std::string& version);

/// Whether a rule or the allowlist that names the version may choose it: it runs, and its users were not taken away.
/// The routers decide about the roles "canary" and "stable".
bool takes_targeted_users(const State& state, const std::string& service, const std::string& version);

/// `state` without services and versions that `settings` does not have, and without weight and salt of the stable
/// version, which has neither.
State pruned(const State& state, const Settings& settings);

/// The state of a grayd that starts with `settings` and this saved state. A version that was not stable when the state
/// was saved, and is now, runs, although it was stopped as a canary.
State state_at_start(const State& saved, const Settings& settings);

/// `state` as it is saved: with the role of each version, for state_at_start().
State with_roles(State state, const Settings& settings);

/// The decisions in `before` that `after` does not have, for people: "the weight of web v2, the stop of web v3".
std::string dropped(const State& before, const State& after);

}  // namespace gray::control
