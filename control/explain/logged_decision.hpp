#pragma once
// A decision of the access log: read from its line, and decided again from the facts of the line by the functions of
// the data path. A request that names a version is decided by that name, which is the version of the line. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "control/explain/explanation.hpp"

namespace gray::control {

struct LoggedDecision {
  std::string time, request_id, client, method, host, path, reason, service, version, worker;
  std::string decision_name, first_decision_name;
  std::string identity_source, salt, threshold_text, stable, canary, asked_first, canary_failure, rule;
  std::optional<std::uint64_t> identity_hash;
  std::uint64_t status = 0, table = 0, retries = 0, bytes_out = 0, duration_us = 0, queued_us = 0;
  bool fallback = false, listed = false;
  bool complete = false;  // it has the members that grayd writes for a replay
  Threshold threshold;

  /// Reads a line without its line end. False: it is not such a line; `*this` is then meaningless. Kept by the caller
  /// from line to line, so that texts need no new memory.
  bool read(std::string_view line);
};

enum class Replay : std::uint8_t {
  same,        // decided as logged
  differs,     // not
  damaged,     // not a line of the access log
  older,       // of a grayd that did not log all facts
  no_service,  // no service took the request, so nothing was decided
  unknown,     // a decision that this grayctl does not know
  count
};
const char* name_of(Replay replay);

/// `difference`: what differs, in words.
Replay decide_again(const LoggedDecision& line, std::string& difference);

/// For `grayctl why REQUEST_ID`.
Explanation explain_line(const LoggedDecision& line);

}  // namespace gray::control
