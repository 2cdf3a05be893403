#pragma once
// Events and the lines that workers wrote, as text for people: one entry after the other, so that more can follow.
// Pure.
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// One member of "events" of GET /v1/events. What does not fit into the line goes on beneath it.
std::string view_event(const nlohmann::json& event, const Terminal& terminal);

/// What of the answer to GET /v1/events after number `after` is missing because it was too long ago; empty if nothing
/// is.
std::string view_missing_events(const nlohmann::json& answer, std::uint64_t after, const Terminal& terminal);

/// The lines of GET /v1/logs. Remembers the last number of each worker, so that lines that were dropped between two
/// answers are told.
class LogView {
 public:
  explicit LogView(const Terminal& terminal) : terminal_(terminal) {}
  /// One member of "lines".
  std::string view(const nlohmann::json& line);

 private:
  Terminal terminal_;
  std::map<std::string, std::uint64_t> seen_;  // last number by worker
};

}  // namespace gray::control
