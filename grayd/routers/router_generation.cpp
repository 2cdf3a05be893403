#include "grayd/routers/router_generation.hpp"

#include <fmt/core.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "config/base/archive.hpp"
#include "config/base/pidfd.hpp"
#include "config/shared/segment.hpp"
#include "grayd/routers/respawn_delay.hpp"

namespace gray::master {
namespace {

constexpr Duration kDrainGrace{2'000};  // for the log to be flushed and the process to end
constexpr Duration kDeathGrace{100};    // a dying process closes its channel a moment before it can be waited for

std::string described(int status) {
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : fmt::format("exit {}", WEXITSTATUS(status));
}

}  // namespace

RouterGeneration::RouterGeneration(asio::io_context& io, RouterChild child, std::uint32_t router_slot,
                                   Duration start_limit, Owner& owner)
    : child_(std::move(child)),
      router_slot_(router_slot),
      owner_(owner),
      link_(io, std::move(child_.channel), *this),
      pidfd_(io, child_.pidfd.release()),
      deadline_(io) {
  arm(start_limit, "it was not ready in time");
  await_end();
}

RouterGeneration::RouterGeneration(asio::io_context& io, Owner& owner, Restored)
    : router_slot_(0), owner_(owner), link_(io, *this, kRestored), pidfd_(io), deadline_(io) {}

/// The pid last: an object that was only partly read kills no process.
template <class Io>
void RouterGeneration::archive(Io& io) {
  io("slot", router_slot_);
  io("state", state_);
  io("leaving", leaving_);
  io("applied", applied_);
  io("started", started_);
  io("ready_since", ready_since_);
  io("drain_timeout", drain_timeout_);
  io("at_once", at_once_);
  io("killed_for", killed_for_);
  io("complaint", complaint_);
  io("due", due_);
  io("overdue", overdue_);
  io("link", link_);
  if constexpr (Io::kLoads) {
    pidfd_.assign(io.fd("pidfd"));
    await_end();
    if (due_) await_deadline();
  } else {
    io.fd("pidfd", pidfd_.native_handle());
  }
  io("pid", child_.pid);
}
template void RouterGeneration::archive(Save&);
template void RouterGeneration::archive(Load&);

/// The process is still alive here only if the start of grayd failed half-way.
RouterGeneration::~RouterGeneration() {
  if (child_.pid > 0 && end_.empty()) {
    ::pidfd_send_signal(pidfd_.native_handle(), SIGKILL, nullptr, 0);
    ::waitpid(child_.pid, nullptr, 0);
  }
}

void RouterGeneration::received(ChannelMessage message) {
  using Type = ChannelMessage::Type;
  switch (message.type) {
    case Type::hello:
      return speaks_our_protocol(message) ? on_event(RouterEvent::hello, "it sent hello twice")
                                          : on_event(RouterEvent::mismatch, "its protocol or segment layout differs");
    case Type::ready: return on_event(RouterEvent::ready, "it sent ready before hello");
    case Type::drained: return on_event(RouterEvent::drained, "it sent drained without a request");
    case Type::applied: applied_ = std::max(applied_, message.number); return owner_.applied(*this);
    case Type::unused: return owner_.worker_unused();
    case Type::unreached: return void(complaint_ = message.detail);
    case Type::probed: return owner_.probed(message);
    case Type::stranger: return owner_.met_stranger(message);
    case Type::untrusted_proxy: return owner_.met_untrusted_proxy(message);
    case Type::client_fault: return owner_.client_fault(message);
    case Type::weighed: return owner_.weighed(*this, std::move(message));
    default: return kill("it sent a message that only the master sends");
  }
}

bool RouterGeneration::speaks_our_protocol(const ChannelMessage& hello) const {
  return hello.protocol == kChannelProtocol && hello.layout == segment::kLayout;
}

void RouterGeneration::on_event(RouterEvent event, const std::string& why) {
  const auto now = step(state_, event);
  state_ = now.next;
  switch (now.action) {
    case RouterAction::none: break;
    case RouterAction::send_table: return owner_.greeted(*this);
    case RouterAction::announce:
      due_.reset();
      deadline_.cancel();
      ready_since_ = Clock::now();
      return owner_.ready(*this);
    case RouterAction::send_drain: {
      ChannelMessage message;
      message.type = ChannelMessage::Type::drain;
      message.timeout = drain_timeout_;
      message.ok = at_once_;
      link_.send(std::move(message));
      return arm(drain_timeout_ + kDrainGrace, "it was not drained in time");
    }
    case RouterAction::kill: return kill(why);
  }
  if (state_ != RouterState::ending) return;
  if (event == RouterEvent::drained) arm(kDrainGrace, "it had drained but did not exit");
  if (event == RouterEvent::closed) arm(kDeathGrace, "it closed its channel but did not exit");
}

void RouterGeneration::drain(Duration timeout, bool at_once) {
  leaving_ = true;
  at_once_ = at_once;
  drain_timeout_ = timeout;
  on_event(RouterEvent::drain, "it had not started yet");
}

void RouterGeneration::kill(const std::string& why) {
  state_ = RouterState::ending;
  killed_for_ = why;
  ::pidfd_send_signal(pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

void RouterGeneration::arm(Duration limit, const std::string& why) {
  due_ = Clock::now() + limit;
  overdue_ = why;
  await_deadline();
}

void RouterGeneration::await_deadline() {
  deadline_.expires_at(*due_);
  deadline_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) on_event(RouterEvent::overdue, overdue_);
  }));
}

void RouterGeneration::await_end() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, lifetime_.guard([this](std::error_code error) {
    if (!error) on_end();
  }));
}

void RouterGeneration::on_end() {
  int status = 0;
  if (::waitpid(child_.pid, &status, WNOHANG) == 0) return await_end();
  ended_ = Clock::now();
  end_ = described(status);
  if (!killed_for_.empty()) end_ += " (killed: " + killed_for_ + ")";
  deadline_.cancel();
  owner_.ended(*this);
}

Duration RouterGeneration::drains_for() const {
  if (state_ != RouterState::draining) return Duration{0};
  return std::max(std::chrono::ceil<Duration>(deadline_.expiry() - Clock::now()), Duration{0});
}

bool RouterGeneration::died_young() const { return ready_since_ == TimePoint{} || ended_ - ready_since_ < kYoung; }

RouterView RouterGeneration::view() const {
  const std::chrono::duration<double> up = Clock::now() - started_;
  return {child_.pid, router_slot_, state_, applied_, up.count()};
}

}  // namespace gray::master
