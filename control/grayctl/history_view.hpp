#pragma once
// Events and output lines of workers as human-readable text: entry by entry, so that more can follow. Pure.
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// One member of "events" of GET /v1/events. A long text continues on the next lines.
std::string view_event(const nlohmann::json& event, const Terminal& terminal);

/// A note about events after number `after` that are missing in the answer to GET /v1/events because they are too old;
/// empty if none are missing.
std::string view_missing_events(const nlohmann::json& answer, std::uint64_t after, const Terminal& terminal);

/// The lines of GET /v1/logs. Remembers the last number of each worker, so that lines that were dropped between two
/// answers are reported.
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
