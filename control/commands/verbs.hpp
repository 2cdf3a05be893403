#pragma once
// The verbs of the admin API, except those of the journal, executed on the main thread. Each answers exactly once, when
// its result is known: a shift when every router uses it and it is saved.
#include <nlohmann/json.hpp>
#include <string>

#include "control/commands/host.hpp"
#include "control/commands/release_verbs.hpp"
#include "control/commands/rollout_verbs.hpp"
#include "control/commands/state_changes.hpp"
#include "control/commands/version_verbs.hpp"
#include "control/traffic/live_state.hpp"
#include "control/traffic/weights.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

class Verbs {
 public:
  using Done = std::function<void(Reply)>;
  /// All four must outlive it.
  Verbs(Host& host, const Settings& settings, LiveState& live, Rollouts& rollouts)
      : host_(host),
        settings_(settings),
        live_(live),
        changes_(host, settings, live),
        versions_(host, settings, live),
        releases_(host, settings, live),
        rollouts_(rollouts),
        rollout_verbs_(rollouts, settings) {}

  static bool knows(Verb verb) { return RolloutVerbs::knows(verb) || handler_of(verb) != nullptr; }
  /// Whether the verb changes something: the others can always be called.
  static bool changes(Verb verb) { return row_of(verb).changes; }
  void call(Verb verb, const nlohmann::json& args, Done done);
  /// The verb shift for callers inside grayd, refused when the verb would be. It gives no event and is not counted as a
  /// change in progress: that is left to the caller.
  void shift(const ShiftOrder& order, const std::string& actor, Done done);
  ReleaseVerbs& releases() { return releases_; }
  const ReleaseVerbs& releases() const { return releases_; }

 private:
  struct Handlers;  // one for each verb, in verbs.cpp
  using Handler = void (*)(Verbs& verbs, const nlohmann::json& args, Done done);
  static Handler handler_of(Verb verb);

  /// Why nothing can be changed now; empty: changes are allowed.
  std::string unchangeable() const;
  Reply health_of(const std::string& only);
  std::string objection(const ShiftOrder& order);
  Done naming_the_last_change(const nlohmann::json& args, Done done) const;
  Reply without_rollout(const nlohmann::json& args, const Reply& deployed, Reply started);
  Host& host_;
  const Settings& settings_;
  LiveState& live_;
  StateChanges changes_;
  VersionVerbs versions_;
  ReleaseVerbs releases_;
  Rollouts& rollouts_;
  RolloutVerbs rollout_verbs_;
};

}  // namespace gray::control
