#pragma once
// One router process: its channel, its pidfd and its state machine. It has ended only when its process has, not when
// its channel is silent. A router that is not ready or drained in time is killed, so that no wait for it is unbounded.
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "config/shared/router_view.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/routers/router_link.hpp"
#include "grayd/routers/router_machine.hpp"
#include "grayd/routers/router_spawn.hpp"

namespace gray::master {

class RouterGeneration final : RouterLink::Owner {
 public:
  /// Its functions must not destroy the generation.
  class Owner {
   public:
    virtual void greeted(RouterGeneration& router) = 0;  // it needs the table
    virtual void ready(RouterGeneration& router) = 0;
    virtual void applied(RouterGeneration& router) = 0;
    virtual void probed(const ChannelMessage& answer) = 0;
    virtual void met_stranger(const ChannelMessage& report) = 0;
    virtual void met_untrusted_proxy(const ChannelMessage& report) = 0;
    virtual void client_fault(const ChannelMessage& report) = 0;
    virtual void weighed(RouterGeneration& router, ChannelMessage answer) = 0;
    virtual void worker_unused() = 0;                  // its last socket to a worker that left the table is closed
    virtual void ended(RouterGeneration& router) = 0;  // its process was waited for; the last event

   protected:
    ~Owner() = default;
  };
  RouterGeneration(asio::io_context& io, RouterChild child, std::uint32_t router_slot, Duration start_limit,
                   Owner& owner);
  /// No process until archive(Load&) has returned.
  RouterGeneration(asio::io_context& io, Owner& owner, Restored);
  ~RouterGeneration();
  RouterGeneration(const RouterGeneration&) = delete;
  RouterGeneration& operator=(const RouterGeneration&) = delete;

  void send(ChannelMessage message) { link_.send(std::move(message)); }
  /// Requests in flight get `timeout`; shortly after it the router is killed. `at_once`: idle clients are closed now,
  /// because no router replaces this one; otherwise their next answer says `Connection: close`.
  void drain(Duration timeout, bool at_once);

  bool greeted() const { return state_ != RouterState::starting; }
  bool ready() const { return state_ == RouterState::ready; }
  /// It was asked to drain, so its end is expected.
  bool leaving() const { return leaving_; }
  /// The time that is left for draining; 0 if it does not drain.
  Duration drains_for() const;
  /// It was ready once, so it may have clients.
  bool was_ready() const { return ready_since_ != TimePoint{}; }
  /// It died before it was ready, or within kYoung after.
  bool died_young() const;
  std::uint64_t applied() const { return applied_; }
  pid_t pid() const { return child_.pid; }
  std::uint32_t router_slot() const { return router_slot_; }
  const std::string& end() const { return end_; }  // "exit 1", "signal 9 (killed: it sent hello twice)"
  /// The worker that its warm-up check could not reach last; empty: none.
  const std::string& complaint() const { return complaint_; }
  RouterView view() const;

  /// Not after it has ended.
  template <class Io>
  void archive(Io& io);

 private:
  // RouterLink::Owner
  void received(ChannelMessage message) override;
  void closed() override { on_event(RouterEvent::closed, ""); }
  void broken(const std::string& why) override { on_event(RouterEvent::mismatch, why); }

  void on_event(RouterEvent event, const std::string& why);
  bool speaks_our_protocol(const ChannelMessage& hello) const;
  void kill(const std::string& why);
  void arm(Duration limit, const std::string& why);
  void await_deadline();
  void await_end();
  void on_end();

  RouterChild child_;  // the channel has moved to link_
  std::uint32_t router_slot_;
  Owner& owner_;
  RouterState state_ = RouterState::starting;
  bool leaving_ = false;
  std::uint64_t applied_ = 0;
  TimePoint started_ = Clock::now(), ready_since_{}, ended_{};
  Duration drain_timeout_{0};
  bool at_once_ = false;
  std::string killed_for_, complaint_, end_;
  std::optional<TimePoint> due_;  // the time when it is overdue
  std::string overdue_;           // the reason then
  RouterLink link_;
  asio::posix::stream_descriptor pidfd_;
  asio::steady_timer deadline_;
  Lifetime lifetime_;
};

}  // namespace gray::master
