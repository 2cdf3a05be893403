#pragma once
// start, stop, restart and drain, executed on the main thread. Each answers immediately with the operation that it
// started; callers that wait for its end poll the status.
//
// That a version is stopped is part of the state, like a weight. Stopping acts first and is saved afterwards, because
// the disk must not delay it. Starting is saved first, so that a version that runs would run again after a crash.
#include <functional>
#include <nlohmann/json.hpp>

#include "control/commands/host.hpp"
#include "control/traffic/live_state.hpp"

namespace gray::control {

class VersionVerbs {
 public:
  using Done = std::function<void(Reply)>;
  /// All three must outlive it.
  VersionVerbs(Host& host, const Settings& settings, LiveState& live) : host_(host), settings_(settings), live_(live) {}

  void call(Action action, const nlohmann::json& args, Done done);

 private:
  void start(const VersionCommand& command, const std::string& actor, Done done);
  void end(const VersionCommand& command, const std::string& actor, Done done);
  Reply begun(const VersionCommand& command, unsigned restart) const;

  Host& host_;
  const Settings& settings_;
  LiveState& live_;
};

}  // namespace gray::control
