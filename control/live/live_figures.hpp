#pragma once
// The figures that `grayctl top` and the page show, from the answers of grayd: of each version now, and of its last 60
// s. Pure: the time of each answer is passed in. grayd computes them once for all who watch.
//
// Where the figures are from:
//  - rate and error ratio: the last 10 s, from the counters of two statuses. Before the second status of a version:
//    grayd's last minute.
//  - p50 and p99: grayd's last minute.
//  - a version is bad if it has failed, if it is worse than stable, if at least 1 % of its requests failed in the last
//    10 s or the last minute, or if a worker of it is unhealthy or in back-off.
// A field that an answer does not have counts as zero or as empty.
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/time.hpp"
#include "control/live/rate_history.hpp"

namespace gray::control {

struct VersionFigures {
  std::string service, name, state, cause;
  bool stable = false;
  double weight = 0;  // percent
  std::size_t up = 0, instances = 0;
  double rate = 0, error_ratio = 0;
  double minute_rate = 0, minute_error_ratio = 0, p50_ms = 0, p99_ms = 0;  // of the last minute
  std::uint64_t sockets = 0, waiting = 0;
  double memory = 0;            // bytes of its workers, with their child processes
  std::string verdict, why;     // "none", "ok", "worse", "insufficient", and grayd's words
  std::vector<double> seconds;  // requests per second, see RateHistory::seconds()
  std::string bad;              // why it is bad; empty: it is not
};

struct RolloutFigures {
  std::string version, state, reason;
  std::size_t step = 0, steps = 0;
  double weight = 0;
  double hold_s = 0;  // seconds at each step
  bool over() const { return state == "promoted" || state == "aborted" || state == "failed"; }
};

struct ServiceFigures {
  std::string name, stable, undo_to;
  std::string canary;  // the version that has users beside stable; empty: none
  std::optional<RolloutFigures> rollout;
  std::string event, line;  // the newest event of an error, and the newest line of a worker on stderr
  /// The command that takes the users back; empty: there is nothing to go back to.
  std::string way_back() const;
};

struct TopView {
  std::string daemon;   // "grayd 1.2.0, pid 4711, up 3m5s"
  std::string trouble;  // grayd does not answer: since when and why; empty: it does
  std::vector<VersionFigures> versions;
  std::vector<ServiceFigures> services;
  std::string event, line;  // the same, of all services and of grayd
};

class LiveFigures {
 public:
  void take_status(const nlohmann::json& status, TimePoint now);
  void take_events(const nlohmann::json& answer);
  void take_lines(const nlohmann::json& answer);
  /// Of `rollout status`; nothing: the service has had no rollout.
  void take_rollout(const std::string& service, const std::optional<nlohmann::json>& answer);

  /// Numbers for the next call of `events` and `logs`.
  std::uint64_t last_event() const { return last_event_; }
  std::uint64_t last_line() const { return last_line_; }
  /// The services whose rollout is to be asked for next, at most four: those that are known to have one, or a version
  /// with users beside stable, and in turn one of the others.
  std::vector<std::string> next_rollouts();

  /// Without `trouble`.
  TopView view() const;

 private:
  using Name = std::pair<std::string, std::string>;
  struct Newest {
    std::string event, line;
  };

  VersionFigures figures_of(const nlohmann::json& service, const nlohmann::json& version, TimePoint now);

  TopView view_;
  std::map<Name, RateHistory> histories_;
  std::map<std::string, RolloutFigures> rollouts_;
  std::map<std::string, Newest> newest_;  // by service
  std::uint64_t last_event_ = 0, last_line_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace gray::control
