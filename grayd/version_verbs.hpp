#pragma once
// start, stop, restart and drain, carried out on the main thread. Each answers at once with what was begun; who wants
// to see the end looks at the status.
//
// That an operator stopped a version is a fact like a weight: stopping acts first and is persisted then, for no disk
// may delay it; starting is persisted first, so that what runs would run again after a crash.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "control/daemon.hpp"
#include "grayd/live_state.hpp"
#include "grayd/report_source.hpp"
#include "grayd/version_order.hpp"

namespace gray::master {

class VersionVerbs {
 public:
  using Done = std::function<void(control::Reply)>;
  /// What the verbs need of the master.
  struct Parts {
    const Settings& settings;
    LiveState& live;
    /// Saves the wanted state; `then(error)` runs on the main thread.
    std::function<void(std::function<void(std::string)> then)> persist;
    /// Tells the supervisor; the number of the replacement for a restart, else 0.
    std::function<unsigned(const Ordered&)> carry_out;
    std::function<void(const std::function<void(const ReportSource&)>&)> report;
    std::function<bool()> stopping;
  };
  explicit VersionVerbs(Parts parts) : parts_(std::move(parts)) {}

  void call(Order order, const nlohmann::json& args, Done done);

 private:
  void start(const Ordered& ordered, Done done);
  void end(const Ordered& ordered, Done done);
  control::Reply begun(const Ordered& ordered, unsigned restart) const;

  Parts parts_;
};

}  // namespace gray::master
