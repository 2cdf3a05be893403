#include "grayd/renewal.hpp"

#include <fmt/core.h>

#include "config/units.hpp"

namespace gray::master {

Renewal::Renewal(asio::io_context& io, Parts parts, Duration patience)
    : parts_(std::move(parts)), patience_(patience), timer_(io, patience) {
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) on(RenewalEvent::overdue);
  }));
}

void Renewal::greeted(const RouterGeneration& router) {
  if (concerns(router)) on(RenewalEvent::greeted);
}

void Renewal::ready(const RouterGeneration& router) {
  if (concerns(router)) on(RenewalEvent::ready);
}

void Renewal::ended(const RouterGeneration& router) {
  if (!concerns(router)) {
    if (router.was_ready() && !router.leaving()) on(RenewalEvent::bereft);
    return;
  }
  end_ = router.end();
  if (!router.complaint().empty()) end_ += "; " + router.complaint();
  on(RenewalEvent::ended);
  fresh_ = nullptr;
}

void Renewal::on(RenewalEvent event) {
  const auto before = phase_;
  const auto now = step(phase_, event);
  phase_ = now.next;
  carry_out(now.action);
  if (is_over(now.next) && !is_over(before)) finish(before, event);
}

void Renewal::carry_out(RenewalAction action) {
  switch (action) {
    case RenewalAction::none:
      return;
    case RenewalAction::spawn:
      fresh_ = parts_.spawn();
      if (fresh_ != nullptr) return void(pid_ = fresh_->pid());
      end_ = "the system has no room for another process";
      return on(RenewalEvent::ended);
    case RenewalAction::listen:
      parts_.listen(*fresh_);
      return begin_trial();
    case RenewalAction::retire:
      return parts_.retire(*fresh_);
    case RenewalAction::cancel:
      return fresh_->drain(Duration{0}, true);
  }
}

void Renewal::begin_trial() {
  timer_.expires_after(kTrial);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) on(RenewalEvent::trial_over);
  }));
}

void Renewal::finish(RenewalPhase before, RenewalEvent event) {
  timer_.cancel();
  if (phase_ == RenewalPhase::failed) return parts_.done(failure(before, event));
  parts_.done({ExitCode::ok, pid_, fmt::format("router {} serves; {}", pid_, parts_.drainers())});
}

RenewalEnd Renewal::failure(RenewalPhase before, RenewalEvent event) const {
  if (event == RenewalEvent::bereft) {
    return {ExitCode::failed, pid_,
            fmt::format("while router {} was {}, the one that it was to replace died; another one starts by itself",
                        pid_, name_of(before))};
  }
  if (event != RenewalEvent::overdue) {
    return {ExitCode::failed, pid_,
            fmt::format("the new router{} failed while {}: {}; the old one serves on",
                        pid_ == 0 ? "" : fmt::format(" {}", pid_), name_of(before), end_)};
  }
  if (before == RenewalPhase::waiting) {
    return {ExitCode::timeout, 0,
            fmt::format("no room for another router within {}: {}; nothing was changed, try again when it has ended",
                        format_duration(patience_), parts_.drainers())};
  }
  const auto complaint = fresh_->complaint();
  return {ExitCode::timeout, pid_,
          fmt::format("the new router {} was still {} after {}{}; it is ended, the old one serves on", pid_,
                      name_of(before), format_duration(patience_), complaint.empty() ? "" : ": " + complaint)};
}

std::string Renewal::text() const {
  switch (phase_) {
    case RenewalPhase::waiting:
      return "waiting for room: " + parts_.drainers();
    case RenewalPhase::starting:
      return fmt::format("router {} starts", pid_);
    case RenewalPhase::proving: {
      const auto complaint = fresh_->complaint();
      return fmt::format("router {} reaches every worker before it serves{}", pid_,
                         complaint.empty() ? "" : ": " + complaint);
    }
    case RenewalPhase::trial:
      return fmt::format("router {} serves beside the old one", pid_);
    default:
      return fmt::format("router {}: {}", pid_, name_of(phase_));
  }
}

}  // namespace gray::master
