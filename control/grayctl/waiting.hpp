#pragma once
// How far a thing is that somebody waits for, seen in one status of grayd. Pure: whoever waits asks again and again.
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/exit_code.hpp"
#include "control/grayctl/command.hpp"

namespace gray::control {

struct Awaited {
  Verb verb = Verb::status;  // start, stop, restart, drain, upgrade: the end of it; status, health: all that should be
                             // up
  std::string service;       // status, health: empty is every service; upgrade: what is replaced
  std::string version;
  unsigned number = 0;  // of the restart or upgrade, as grayd gave it
};

struct Progress {
  bool over = false;
  ExitCode code = ExitCode::ok;  // while it is not over, too
  /// Over and ok: what was reached. Over and not ok: what went wrong and what to do. Else how far it is.
  std::string text;
};

/// `status` is the body of GET /v1/status.
Progress judge(const Awaited& awaited, const nlohmann::json& status);

/// "restart of web v1", "health of web", "health of every service", "upgrade of router".
std::string subject(const Awaited& awaited);
/// "it continues; see: grayctl status web", for whoever does not wait any longer.
std::string where_to_look(const Awaited& awaited);

}  // namespace gray::control
