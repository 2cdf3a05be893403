#pragma once
// The picture that grayd sends to all who watch: answers of verbs in, one line of JSON out. Pure: times are passed in.
//
//   {"schema_version", "time_ms", "writable", "status": {...}, "figures": {...}, "rollouts": [...], "events": [...]}
//
// "status" is the answer of the verb, "figures" is control/live/figures_json.hpp, "rollouts" are the answers of
// `rollout status` of each service that has had one, "events" are the newest kEvents, oldest first.
#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "control/live/live_figures.hpp"

namespace gray::control {

class Picture {
 public:
  static constexpr std::size_t kEvents = 50;

  /// `writable`: whether the page may change something.
  explicit Picture(bool writable) : writable_(writable) {}

  void take_status(const nlohmann::json& answer, TimePoint now);
  void take_events(const nlohmann::json& answer);
  void take_lines(const nlohmann::json& answer) { figures_.take_lines(answer); }
  /// Nothing: the service has had no rollout.
  void take_rollout(const std::string& service, const std::optional<nlohmann::json>& answer);

  /// Arguments of the next `events` and `logs`.
  nlohmann::json next_events() const { return {{"after", figures_.last_event()}, {"count", kEvents}}; }
  nlohmann::json next_lines() const { return {{"after", figures_.last_line()}, {"count", kEvents}}; }
  std::vector<std::string> next_rollouts() { return figures_.next_rollouts(); }

  /// Empty before the first status.
  std::string text(WallTime now) const;

 private:
  bool writable_;
  LiveFigures figures_;
  std::string status_;
  std::map<std::string, std::string> rollouts_;  // by service
  std::deque<std::string> events_;
};

}  // namespace gray::control
