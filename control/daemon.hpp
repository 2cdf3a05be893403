#pragma once
// The interface between the admin API and the master: verbs in, replies out. API threads only parse and post; the
// master answers on its main thread when the result is known.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/exit_code.hpp"

namespace gray::control {

struct Reply {
  ExitCode code = ExitCode::ok;
  nlohmann::json body;  // ok: the answer of the verb, an object with "schema_version": 1
  std::string error;    // not ok: one line with the error and what to do
};

inline Reply refusal(ExitCode code, std::string error) { return {code, {}, std::move(error)}; }

class Daemon {
 public:
  virtual ~Daemon() = default;
  /// Thread-safe. `verb` is VERB of /v1/VERB, `args` its arguments as an object.
  /// `done` is called exactly once, on the main thread of the master.
  virtual void call(std::string verb, nlohmann::json args, std::function<void(Reply)> done) = 0;
};

}  // namespace gray::control
