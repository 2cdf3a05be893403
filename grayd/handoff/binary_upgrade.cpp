#include "grayd/handoff/binary_upgrade.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/base/units.hpp"

namespace gray::master {

BinaryUpgrade::BinaryUpgrade(asio::io_context& io, Parts parts, std::string program, std::string config,
                             Duration timeout)
    : parts_(std::move(parts)),
      program_(std::move(program)),
      timeout_(timeout),
      until_(Clock::now() + timeout),
      check_(
          io, program_, std::move(config), [this](const CheckEnd& end) { on_checked(end); },
          std::min(timeout, BinaryCheck::kLimit)),
      timer_(io) {}

void BinaryUpgrade::on_checked(const CheckEnd& end) {
  if (end.code != ExitCode::ok) return fail(end);
  if (const auto why = parts_.stale(); !why.empty()) return fail({ExitCode::failed, check_.phase() + ": " + why});
  phase_ = Phase::settling;
  look();
}

void BinaryUpgrade::look() {
  while (step()) {
  }
  if (phase_ == Phase::leaving) return parts_.leave();
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
  if (phase_ == Phase::settling && parts_.unsettled().empty()) {
    phase_ = Phase::closing;
    farewell_ = Clock::now() + kFarewell;
    parts_.close();
    return true;
  }
  // Somebody who was still in may have begun a change: it is waited for, whatever time that takes.
  const bool gone = phase_ == Phase::closing && (parts_.closed() || Clock::now() >= farewell_);
  if (!gone || !parts_.unsettled().empty()) return false;
  phase_ = Phase::leaving;
  return true;
}

void BinaryUpgrade::fail(CheckEnd end) {
  end.text += "; nothing was changed, grayd continues as before";
  parts_.failed(std::move(end));
}

std::string BinaryUpgrade::text() const {
  switch (phase_) {
    case Phase::checking: return check_.phase();
    case Phase::settling: return fmt::format("waiting for the end of {}", parts_.unsettled());
    case Phase::closing: return "answering the last callers";
    case Phase::leaving: break;
  }
  return "handing over to " + program_;
}

}  // namespace gray::master
