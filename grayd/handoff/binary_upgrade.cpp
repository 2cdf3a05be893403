#include "grayd/handoff/binary_upgrade.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "config/base/units.hpp"

namespace gray::master {

BinaryUpgrade::BinaryUpgrade(asio::io_context& io, Host& host, std::function<void(CheckEnd)> failed,
                             std::string program, std::string config, Duration timeout)
    : host_(host),
      failed_(std::move(failed)),
      program_(std::move(program)),
      timeout_(timeout),
      until_(Clock::now() + timeout),
      check_(
          io, program_, std::move(config), [this](const CheckEnd& end) { on_checked(end); },
          std::min(timeout, BinaryCheck::kLimit)),
      timer_(io) {}

void BinaryUpgrade::on_checked(const CheckEnd& end) {
  if (end.code != ExitCode::ok) return fail(end);
  if (const auto why = host_.stale(); !why.empty()) return fail({ExitCode::failed, check_.phase() + ": " + why});
  phase_ = Phase::settling;
  await(until_);
  changed();
}

/// A caller that is still connected may start a change while closing: its end is awaited, without a limit.
void BinaryUpgrade::changed() {
  if (phase_ == Phase::settling && host_.unsettled().empty()) {
    phase_ = Phase::closing;
    await(Clock::now() + kGracePeriod);
    host_.close_endpoints();
  }
  const bool callers_gone = phase_ == Phase::closing && (grace_over_ || host_.callers_gone());
  if (!callers_gone || !host_.unsettled().empty()) return;
  phase_ = Phase::leaving;
  timer_.cancel();
  host_.leave();
}

void BinaryUpgrade::await(TimePoint deadline) {
  timer_.expires_at(deadline);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) overdue();
  }));
}

void BinaryUpgrade::overdue() {
  if (phase_ == Phase::settling)
    return fail({ExitCode::timeout, fmt::format("{} after {}", text(), format_duration(timeout_))});
  grace_over_ = true;
  changed();
}

void BinaryUpgrade::fail(CheckEnd end) {
  phase_ = Phase::failed;
  timer_.cancel();
  end.text += "; nothing was changed, grayd continues as before";
  failed_(std::move(end));
}

std::string BinaryUpgrade::text() const {
  switch (phase_) {
    case Phase::checking: return check_.phase();
    case Phase::settling: return fmt::format("waiting for the end of {}", host_.unsettled());
    case Phase::closing: return "answering the last callers";
    case Phase::leaving: break;
    case Phase::failed: return "ending without a change";
  }
  return "handing over to " + program_;
}

}  // namespace gray::master
