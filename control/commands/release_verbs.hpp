#pragma once
// deploy, promote, undo and remove, executed on the main thread, and the upkeep of former stables and removed versions.
//
//  - A deploy is saved before the version is started, a promotion before it is published: a crash must not take back
//    what users have seen. An undo is published before it is saved: the disk must not delay it.
//  - An undo to a version that is stopped starts it first and is answered at once; it is completed when the version is
//    up, and the status has its outcome. Until then nothing changes for users.
//  - Two of these verbs about one service at once: the second is refused, and told who gave the first. A shift is not
//    refused unless it gives a version more users: an abort must not wait.
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/commands/host.hpp"
#include "control/commands/state_changes.hpp"
#include "control/release/release_orders.hpp"
#include "control/release/upkeep.hpp"
#include "control/report/report_source.hpp"
#include "control/traffic/live_state.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

class ReleaseVerbs {
 public:
  using Done = std::function<void(Reply)>;
  static constexpr Duration kUndoTimeout{600'000};  // of an undo without undo_timeout_ms
  static constexpr Duration kRetry{1'000};          // of the upkeep while grayd cannot be changed

  /// All three must outlive it.
  ReleaseVerbs(Host& host, const Settings& settings, LiveState& live)
      : host_(host), settings_(settings), live_(live), changes_(host, settings, live) {}

  static bool knows(Verb verb);
  /// One of the four verbs.
  void call(Verb verb, const nlohmann::json& args, Done done);
  /// The verb promote for callers inside grayd; `actor`: who asked for it.
  void promote(const PromoteOrder& order, const std::string& actor, Done done);

  /// Why a change of the service must wait, as text; empty: it need not.
  std::string busy(const std::string& service) const;
  /// Does what is due; the time until the next call is needed, if nothing is published before.
  std::optional<Duration> advance(WallTime wall, TimePoint now);
  /// Whether advance() may have something to do after a change of versions or state.
  bool attentive() const;
  /// The undo that waits for its version to start, for callers that must wait; empty: none.
  std::string under_way() const;
  /// The last undo of each service that had to start its version, by service.
  const std::map<std::string, UndoView>& undos() const { return undos_; }

 private:
  struct PendingUndo {
    std::string target;
    TimePoint until;
    std::string actor;
    bool published = false;  // the version serves all users; it is being saved
  };
  void deploy(const nlohmann::json& args, Done done);
  void start_deployed(const DeployOrder& order, Done done);
  void promoted(const PromoteOrder& order, const Reply& changed, const Reply& reply, const Done& done);
  void undo(const nlohmann::json& args, Done done);
  void start_for_undo(const UndoOrder& order, const std::string& target, Duration timeout, const std::string& actor,
                      Done done);
  void go_back(const std::string& service, const std::string& target, const std::string& actor, Done done);
  void remove(const nlohmann::json& args, Done done);
  Reply removal(const RemoveOrder& order) const;
  std::optional<Duration> advance_undos(TimePoint now);
  void undo_ended(const std::string& service, const Reply& reply);
  void perform(const std::vector<Chore>& chores);

  Host& host_;
  const Settings& settings_;
  LiveState& live_;
  StateChanges changes_;
  std::map<std::string, std::string> busy_;  // by service: the verb that is being carried out, and who asked for it
  std::map<std::string, PendingUndo> pending_;
  std::map<std::string, UndoView> undos_;
};

}  // namespace gray::control
