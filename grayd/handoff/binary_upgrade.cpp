#include "grayd/handoff/binary_upgrade.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/base/units.hpp"

namespace gray::master {

BinaryUpgrade::BinaryUpgrade(asio::io_context& io, Dependencies dependencies, std::string program, std::string config,
                             Duration timeout)
    : dependencies_(std::move(dependencies)),
      program_(std::move(program)),
      timeout_(timeout),
      until_(Clock::now() + timeout),
      check_(
          io, program_, std::move(config), [this](const CheckEnd& end) { on_checked(end); },
          std::min(timeout, BinaryCheck::kLimit)),
      timer_(io) {}

void BinaryUpgrade::on_checked(const CheckEnd& end) {
  if (end.code != ExitCode::ok) return fail(end);
  if (const auto why = dependencies_.stale(); !why.empty())
    return fail({ExitCode::failed, check_.phase() + ": " + why});
  phase_ = Phase::settling;
  look();
}

void BinaryUpgrade::look() {
  while (step()) {
  }
  if (phase_ == Phase::leaving) return dependencies_.leave();
  if (phase_ == Phase::settling && Clock::now() >= until_) {
    return fail({ExitCode::timeout, fmt::format("{} after {}", text(), format_duration(timeout_))});
  }
  timer_.expires_after(kTick);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) look();
  }));
}

/// Whether it came a phase further.
bool BinaryUpgrade::step() {
  if (phase_ == Phase::settling && dependencies_.unsettled().empty()) {
    phase_ = Phase::closing;
    farewell_ = Clock::now() + kFarewell;
    dependencies_.close();
    return true;
  }
  // Somebody who was still in may have begun a change: it is waited for, whatever time that takes.
  const bool gone = phase_ == Phase::closing && (dependencies_.closed() || Clock::now() >= farewell_);
  if (!gone || !dependencies_.unsettled().empty()) return false;
  phase_ = Phase::leaving;
  return true;
}

void BinaryUpgrade::fail(CheckEnd end) {
  end.text += "; nothing was changed, grayd continues as before";
  dependencies_.failed(std::move(end));
}

std::string BinaryUpgrade::text() const {
  switch (phase_) {
    case Phase::checking: return check_.phase();
    case Phase::settling: return fmt::format("waiting for the end of {}", dependencies_.unsettled());
    case Phase::closing: return "answering the last callers";
    case Phase::leaving: break;
  }
  return "handing over to " + program_;
}

}  // namespace gray::master
