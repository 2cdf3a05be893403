#pragma once
// Carries out rollouts: looks at the version and the verdict of the judge, feeds the table of rollout_machine.hpp, and
// changes weights. The judge looks at every version that has users, also without a rollout: then it only warns. The
// signals of the supervisor (control/judge/alarms.hpp) take the users away in any case. Main thread; `now` is an
// argument.
//
// Invariants
//  - A rollout is part of the state of its service and is saved with its weight, so it continues after a restart of
//    grayd. Only the hold time of a step begins anew.
//  - A raise is saved before it is published; what takes users away is published first (StateChanges).
//  - While a change is being saved, only what takes users away is decided.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/version_view.hpp"
#include "control/commands/host.hpp"
#include "control/commands/rollout_command.hpp"
#include "control/commands/state_changes.hpp"
#include "control/judge/alarms.hpp"
#include "control/judge/watch.hpp"
#include "control/rollout/rollout.hpp"
#include "control/traffic/live_state.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

class Rollouts {
 public:
  using Done = std::function<void(Reply)>;
  /// What is looked at.
  struct Sight {
    const std::vector<VersionView>& views;
    segment::Layout& layout;
    const Rows& rows;
    const ProcessMeter& meter;
    /// What was recorded of the memory of a version; null: nothing. Empty: of none.
    std::function<const VersionMemory*(const std::string& service, const std::string& version)> memory = {};
  };
  static constexpr Duration kRetry{10'000};  // after a change that could not be saved

  /// All must outlive it.
  Rollouts(Host& host, const Settings& settings, LiveState& live)
      : host_(host), settings_(settings), live_(live), changes_(host, settings, live) {}

  // From operators; `actor`: "pid 4711, uid 1000".
  void start(const RolloutOrder& order, const std::string& actor, Done done);
  /// `event`: pause or one that follows it. `freeze`: of an abort: the version goes on running.
  void command(const std::string& service, RolloutEvent event, const std::string& actor, bool freeze, Done done);
  /// The users of the version are taken away, by a shift to 0.
  void withdraw(const std::string& service, const std::string& actor, Done done) {
    command(service, RolloutEvent::abort, actor, false, std::move(done));
  }

  /// Whether advance() has something to look at.
  bool looks() const;
  /// To be called each Watch::kInterval while looks().
  void advance(TimePoint now, const Sight& sight);
  /// No change is being carried out.
  bool settled() const;

  /// The rollout of the service, running or ended; null: there was none.
  const Rollout* find(const std::string& service) const;
  /// Of a version that has users beside stable; nothing: it has none.
  std::optional<Verdict> verdict(const std::string& service, const std::string& version) const;
  /// Percent of users that the version gets now.
  double weight(const std::string& service, const std::string& version) const;
  /// What the rollout waits for, or why it ended; one line.
  std::string reason(const std::string& service, TimePoint now) const;

 private:
  struct Cause {
    std::string actor;
    bool freeze = false;
  };
  struct Run {
    Watch watch;
    Alarms alarms;
    std::optional<VerdictResult> reported;  // the last one
    TimePoint hold_began{};                 // epoch: not yet
    TimePoint not_before{};                 // the next raise
    std::string waits_for;                  // empty: for the hold time
    unsigned changing = 0;                  // changes that are being carried out
  };

  static void forget(Run& run);
  /// The reason to take the users of the canary away; nothing: none.
  std::optional<std::string> look(TimePoint now, const ServiceSettings& service, const Sight& sight, Run& run);
  void withdraw_users(const ServiceSettings& service, const std::string& reason, Run& run);
  void report_verdict(const ServiceSettings& service, Run& run);
  void follow(TimePoint now, const ServiceSettings& service, const Rollout& rollout, const Sight& sight, Run& run);
  void hold(TimePoint now, const std::string& service, const Rollout& rollout, bool up, Run& run);
  void feed_later(TimePoint now, const std::string& service, RolloutEvent event, std::string reason, Run& run);
  void feed(const std::string& service, RolloutEvent event, const Cause& cause, std::string reason, Done done);
  void carry_out(RolloutAction action, AuditEntry change, ServiceState next, Done done);
  void zero(AuditEntry change, Rollout rollout, Done done);
  void go_back(AuditEntry change, Rollout rollout, Done done);
  void raise(AuditEntry change, ServiceState next, Done done);
  void promote(AuditEntry change, Rollout rollout, Done done);
  Done counted(const std::string& service, Done done);
  void report(const std::string& service, const Rollout& rollout);

  Host& host_;
  const Settings& settings_;
  LiveState& live_;
  StateChanges changes_;
  std::map<std::string, Run> runs_;  // by service
};

}  // namespace gray::control
