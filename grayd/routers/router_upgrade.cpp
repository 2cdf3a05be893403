#include "grayd/routers/router_upgrade.hpp"

#include <fmt/core.h>

#include "config/base/units.hpp"

namespace gray::master {

RouterUpgrade::RouterUpgrade(asio::io_context& io, Fleet& fleet, Duration timeout)
    : fleet_(fleet), timeout_(timeout), timer_(io, timeout) {
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) on(RouterUpgradeEvent::overdue);
  }));
}

void RouterUpgrade::greeted(const RouterGeneration& router) {
  if (concerns(router)) on(RouterUpgradeEvent::greeted);
}

void RouterUpgrade::ready(const RouterGeneration& router) {
  if (concerns(router)) on(RouterUpgradeEvent::ready);
}

void RouterUpgrade::ended(const RouterGeneration& router) {
  if (!concerns(router)) {
    if (router.was_ready() && !router.leaving()) on(RouterUpgradeEvent::predecessor_died);
    return;
  }
  end_ = router.end();
  if (!router.complaint().empty()) end_ += "; " + router.complaint();
  on(RouterUpgradeEvent::ended);
  fresh_ = nullptr;
}

void RouterUpgrade::on(RouterUpgradeEvent event) {
  const auto before = phase_;
  const auto now = step(phase_, event);
  phase_ = now.next;
  carry_out(now.action);
  if (is_over(now.next) && !is_over(before)) finish(before, event);
}

void RouterUpgrade::carry_out(RouterUpgradeAction action) {
  switch (action) {
    case RouterUpgradeAction::none: return;
    case RouterUpgradeAction::spawn:
      fresh_ = fleet_.spawn_new();
      if (fresh_ != nullptr) return void(pid_ = fresh_->pid());
      end_ = "the system cannot create another process";
      return on(RouterUpgradeEvent::ended);
    case RouterUpgradeAction::listen: fleet_.let_accept(*fresh_); return begin_trial();
    case RouterUpgradeAction::retire: return fleet_.drain_older(*fresh_);
    case RouterUpgradeAction::cancel: return fresh_->drain(Duration{0}, true);
  }
}

void RouterUpgrade::begin_trial() {
  timer_.expires_after(kTrial);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) on(RouterUpgradeEvent::trial_over);
  }));
}

void RouterUpgrade::finish(RouterUpgradePhase before, RouterUpgradeEvent event) {
  timer_.cancel();
  if (phase_ == RouterUpgradePhase::failed) return fleet_.upgrade_ended(failure(before, event));
  fleet_.upgrade_ended({ExitCode::ok, pid_, fmt::format("router {} serves; {}", pid_, fleet_.draining())});
}

RouterUpgradeEnd RouterUpgrade::failure(RouterUpgradePhase before, RouterUpgradeEvent event) const {
  if (event == RouterUpgradeEvent::predecessor_died) {
    return {ExitCode::failed, pid_,
            fmt::format("the old router died while router {} was {}; a new one starts automatically", pid_,
                        name_of(before))};
  }
  if (event != RouterUpgradeEvent::overdue) {
    return {ExitCode::failed, pid_,
            fmt::format("the new router{} failed while {}: {}; the old one keeps serving",
                        pid_ == 0 ? "" : fmt::format(" {}", pid_), name_of(before), end_)};
  }
  if (before == RouterUpgradePhase::waiting) {
    return {ExitCode::timeout, 0,
            fmt::format("no room for another router within {}: {}; nothing was changed; try again when one has ended",
                        format_duration(timeout_), fleet_.draining())};
  }
  const auto complaint = fresh_->complaint();
  return {ExitCode::timeout, pid_,
          fmt::format("the new router {} was still {} after {}{}; it is stopped; the old one keeps serving", pid_,
                      name_of(before), format_duration(timeout_), complaint.empty() ? "" : ": " + complaint)};
}

std::string RouterUpgrade::text() const {
  switch (phase_) {
    case RouterUpgradePhase::waiting: return "waiting for room: " + fleet_.draining();
    case RouterUpgradePhase::starting: return fmt::format("router {} starts", pid_);
    case RouterUpgradePhase::warm_up: {
      const auto complaint = fresh_->complaint();
      return fmt::format("router {} checks every worker before it serves{}", pid_,
                         complaint.empty() ? "" : ": " + complaint);
    }
    case RouterUpgradePhase::trial: return fmt::format("router {} serves beside the old one", pid_);
    default: return fmt::format("router {}: {}", pid_, name_of(phase_));
  }
}

}  // namespace gray::master
