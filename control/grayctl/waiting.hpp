#pragma once
// The progress of an operation, from one status of grayd. Pure: the caller asks repeatedly.
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/exit_code.hpp"
#include "control/grayctl/command.hpp"

namespace gray::control {

struct Awaited {
  Verb verb = Verb::status;  // status, health: all that should be up; any other: the end of it
  std::string service;       // status, health: empty is every service; upgrade: what is replaced
  std::string version;
  unsigned number = 0;  // number of the restart, upgrade, undo or reload, from the reply of grayd
};

struct Progress {
  bool over = false;
  ExitCode code = ExitCode::ok;  // ok also while it is not over
  /// Over and ok: the result. Over and not ok: the error and what to do. Else the progress.
  std::string text;
};

/// `status` is the body of GET /v1/status.
Progress judge(const Awaited& awaited, const nlohmann::json& status);

/// "restart of web v1", "health of web", "health of every service", "upgrade of router".
std::string subject(const Awaited& awaited);
/// "it continues; see: grayctl status web", for a caller that stops waiting.
std::string where_to_look(const Awaited& awaited);

}  // namespace gray::control
