#pragma once
// start, stop, restart and drain, carried out on the main thread. Each answers at once with what was begun; who wants
// to see the end looks at the status.
//
// That an operator stopped a version is a fact like a weight: stopping acts first and is persisted then, for no disk
// may delay it; starting is persisted first, so that what runs would run again after a crash.
#include <functional>
#include <nlohmann/json.hpp>

#include "control/commands/host.hpp"
#include "control/traffic/live_state.hpp"

namespace gray::control {

class VersionVerbs {
 public:
  using Done = std::function<void(Reply)>;
  /// All three outlive it.
  VersionVerbs(Host& host, const Settings& settings, LiveState& live) : host_(host), settings_(settings), live_(live) {}

  void call(Action action, const nlohmann::json& args, Done done);

 private:
  void start(const VersionCommand& command, Done done);
  void end(const VersionCommand& command, Done done);
  Reply begun(const VersionCommand& command, unsigned restart) const;

  Host& host_;
  const Settings& settings_;
  LiveState& live_;
};

}  // namespace gray::control
