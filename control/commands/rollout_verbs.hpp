#pragma once
// The verbs `rollout ...`: their arguments, and the status of a rollout as JSON (contract 2.6). Main thread.
#include <nlohmann/json.hpp>
#include <string>

#include "control/commands/rollouts.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

class RolloutVerbs {
 public:
  using Done = std::function<void(Reply)>;
  /// Both must outlive it.
  RolloutVerbs(Rollouts& rollouts, const Settings& settings) : rollouts_(rollouts), settings_(settings) {}

  static bool knows(Verb verb);
  /// Only for these verbs.
  void call(Verb verb, const nlohmann::json& args, TimePoint now, Done done);

 private:
  void start(const nlohmann::json& args, Done done);
  Reply status(const std::string& service, TimePoint now) const;

  Rollouts& rollouts_;
  const Settings& settings_;
};

}  // namespace gray::control
