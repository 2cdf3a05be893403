#pragma once
// The verb `upgrade` and the replacement of routers that a reload asks for: at most one at a time, with a number and an
// end that whoever waits finds in the status. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "config/event_record.hpp"
#include "config/settings.hpp"
#include "control/daemon.hpp"
#include "grayd/lifetime.hpp"
#include "grayd/report_source.hpp"
#include "grayd/routers.hpp"

namespace gray::master {

class Upgrades {
 public:
  static constexpr Duration kPatience{60'000};  // of an upgrade that names none
  static constexpr Duration kMostPatience{3'600'000};
  static constexpr Duration kRetry{1'000};  // of router settings that no new router has so far

  static constexpr std::size_t kKept = 16;

  struct Parts {
    asio::io_context& io;
    const Settings& settings;
    Routers& routers;
    std::function<void(EventRecord)> happened;
  };
  explicit Upgrades(Parts parts);

  /// Begins one and answers at once with its number. `args`: "of", "router"; "patience_ms", until the new one serves.
  control::Reply begin(const nlohmann::json& args);
  /// The settings of the routers are others now: a new one is tried until one has them.
  void renew_settings();
  /// What is under way, for who must wait for its end; empty: nothing.
  std::string under_way() const;
  /// The last ones, oldest first: whoever waits for one may look late.
  std::vector<UpgradeView> views() const;

 private:
  bool renew(Duration patience, std::function<void(const RenewalEnd&)> done);
  void renewed(const RenewalEnd& end);
  void finish(const RenewalEnd& end);

  Parts parts_;
  std::deque<UpgradeView> known_;  // at most kKept
  bool settings_pending_ = false;
  asio::steady_timer retry_;
  Lifetime lifetime_;
};

}  // namespace gray::master
