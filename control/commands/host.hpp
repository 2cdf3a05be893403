#pragma once
// What the verbs need of the process that they run in. grayd's master implements it; a test is one, too. Main thread.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "control/commands/version_command.hpp"
#include "control/daemon.hpp"
#include "control/report/report_source.hpp"

namespace gray::control {

class Host {
 public:
  /// `laggards`: the routers that did not do it in time, for people; empty: all did.
  using Applied = std::function<void(const std::string& laggards)>;
  /// `error`: why the disk does not have it, for people; empty: it has.
  using Saved = std::function<void(const std::string& error)>;

  virtual ~Host() = default;
  /// Saves the state that is wanted now; calls back from the loop.
  virtual void persist(Saved then) = 0;
  /// Publishes what the live state says now and calls back when every router routes by it.
  virtual void publish(Applied then) = 0;
  /// Calls back when the routers route by what is known now, or a moment later if they lag.
  virtual void settle(Applied then) = 0;
  virtual Reply reload() = 0;
  virtual Reply upgrade(const nlohmann::json& args) = 0;
  /// Has the command carried out; the number of the replacement for a restart, else 0.
  virtual unsigned carry_out(const VersionCommand& command) = 0;
  /// As of now: what waits to be published is published before.
  virtual ReportSource report() = 0;
  virtual bool stopping() const = 0;
  /// Why nothing can be changed for a while, for people; empty: it can.
  virtual std::string locked() const = 0;
};

}  // namespace gray::control
