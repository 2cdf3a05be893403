#pragma once
// All router processes.
//
// Invariants:
//   - a router slot has at most one process, and is cleared in the segment only after the process was waited for;
//   - every router gets every table, and the newest one first when it sends hello;
//   - a router accepts connections only once it is ready;
//   - while `wanted_`, a router that dies is replaced.
//
// Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/shared/event_record.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/segment.hpp"
#include "config/shared/tls_secrets.hpp"
#include "control/traffic/publisher.hpp"
#include "grayd/process/lifetime.hpp"
#include "grayd/routers/router_generation.hpp"
#include "grayd/routers/router_upgrade.hpp"
#include "grayd/routers/router_weighing.hpp"

namespace gray::master {

/// The time limits from start to ready; `warm_up`: of a router that runs the warm-up check.
struct RouterLimits {
  Duration start{10'000}, warm_up{30'000};
};

class Routers final : public control::TableReceivers, RouterGeneration::Owner, RouterUpgrade::Fleet {
 public:
  /// The most routers at the same time; one more slot is reserved for the replacement of a router that died.
  static constexpr std::size_t kGenerations = segment::kRouterSlots - 1;

  class Owner {
   public:
    virtual void routers_changed() = 0;  // one became ready, applied a table or ended; its sockets ended with it
    virtual void workers_unused() = 0;   // sockets to workers that left the table are closed
    virtual void probed(const ProbeOutcome& outcome) = 0;
    /// A process of a different user listens at the address of a worker.
    virtual void met_stranger(const ChannelMessage& report) = 0;
    /// A peer from nearby sends fields of a proxy, but is not in trusted_proxies.
    virtual void met_untrusted_proxy(const ChannelMessage& report) = 0;
    /// A client broke a rule: `detail` says which.
    virtual void client_fault(const ChannelMessage& report) { static_cast<void>(report); }
    virtual void probing_possible(bool possible) = 0;
    virtual void router_user_added() {}  // users() has one more; the router is not started yet

   protected:
    ~Owner() = default;
  };
  /// The descriptors in `command` are borrowed for the life of the object.
  Routers(asio::io_context& io, segment::Segment& segment, RouterCommand command, RouterSettings settings,
          std::uint64_t memory_budget, Owner& owner, EventSink& events, RouterLimits limits = {});

  /// Starts a router, and from now on replaces routers that die.
  void start();
  /// Replaces the serving router by a new one with these settings, see router_upgrade_machine; the old ones then have
  /// `drain_timeout`. Returns false and does nothing if an upgrade is under way already.
  bool upgrade(RouterSettings settings, Duration drain_timeout, Duration timeout,
               std::function<void(RouterUpgradeEnd)> done);
  /// Null if no upgrade is under way.
  const RouterUpgrade* router_upgrade() const { return router_upgrade_ ? &*router_upgrade_ : nullptr; }
  /// Sends a whole new table; its number must be higher than any before.
  void publish(const RoutingTable& table, const std::vector<std::shared_ptr<const Allowlist>>& lists) override;
  /// Certificates and ticket keys; every router gets the newest, before its first table.
  void secure(const TlsSecrets& secrets);
  /// The listeners listen: every router accepts, including later ones.
  void listen();
  /// The access log was reopened: borrowed, replaces the descriptor of the command.
  void reopen(int access_log);
  /// Asks the newest ready router; false if there is none. All orders of a turn of the loop share a message.
  bool probe(ProbeOrder order);

  /// Asks all routers that have clients which part of them holds how much memory. Empty: no router is ready.
  void weigh(RouterWeighing::Then then);

  /// The users of all routers so far, without grayd's own: they must be able to connect to workers.
  const std::set<uid_t>& users() const { return users_; }

  bool any_ready() const { return newest_ready() != nullptr; }
  /// Every router that has clients uses table `number` or a newer one. A dead router does not count. A router that is
  /// not ready does not count either: it gets the newest table before it accepts.
  bool all_applied(std::uint64_t number) const override;
  /// Calls `then` once all_applied(number), or after `limit` with the routers that lag, for people; never
  /// synchronously.
  void when_applied(std::uint64_t number, Duration limit, std::function<void(std::string laggards)> then);

  /// Ends every router without replacement; calls `done` once, when the last process has ended. May be repeated with a
  /// shorter timeout.
  void drain(Duration timeout, std::function<void()> done);

  std::vector<RouterView> view() const;

  /// Not during an upgrade, and not while a caller waits for a table.
  template <class Io>
  void archive(Io& io);

 private:
  // RouterGeneration::Owner
  void greeted(RouterGeneration& router) override;
  void ready(RouterGeneration& router) override;
  void applied(RouterGeneration&) override { settle_waiters(); }
  void probed(const ChannelMessage& answer) override {
    for (const ProbeOutcome& outcome : answer.outcomes) owner_.probed(outcome);
  }
  void met_stranger(const ChannelMessage& report) override { owner_.met_stranger(report); }
  void met_untrusted_proxy(const ChannelMessage& report) override { owner_.met_untrusted_proxy(report); }
  void client_fault(const ChannelMessage& report) override { owner_.client_fault(report); }
  void weighed(RouterGeneration& router, ChannelMessage answer) override {
    weighing_.answered(router.pid(), answer.number, std::move(answer.memory));
  }
  void worker_unused() override { owner_.workers_unused(); }
  void ended(RouterGeneration& router) override;
  // RouterUpgrade::Fleet
  RouterGeneration* spawn_new() override { return spawn_in(free_router_slot(), new_settings_, true); }
  void let_accept(RouterGeneration& router) override;
  void drain_older(const RouterGeneration& router) override;
  std::string draining() const override;
  void upgrade_ended(RouterUpgradeEnd end) override;

  struct Waiter {
    std::uint64_t number;
    std::function<void(std::string)> then;
    asio::steady_timer deadline;
  };
  void spawn();
  RouterGeneration* spawn_in(std::uint32_t router_slot, const RouterSettings& settings, bool warm_up);
  std::optional<UserIds> user_of(const RouterSettings& settings);
  void respawn_after(Duration delay);
  void await_respawn();
  std::uint32_t free_router_slot() const;
  void send_hello(RouterGeneration& router, const RouterSettings& settings, bool warm_up);
  void send_table(RouterGeneration& router);
  void send_secrets(RouterGeneration& router);
  void send_probes();
  void make_room();
  void replace(const RouterGeneration& dead);
  void settle_waiters();
  void report(EventKind kind, const RouterGeneration& router, std::string cause, std::string text);
  std::string laggards(std::uint64_t number) const;
  RouterGeneration* newest_ready() const;

  asio::io_context& io_;
  segment::Segment& segment_;
  RouterCommand command_;
  RouterSettings settings_;      // with which a router was ready, or the first ones
  RouterSettings new_settings_;  // of the upgrade in progress
  std::uint64_t memory_budget_;
  Owner& owner_;
  EventSink& events_;
  RouterLimits limits_;
  std::list<std::unique_ptr<RouterGeneration>> living_;  // oldest first
  std::map<std::uint64_t, Waiter> waiters_;
  std::uint64_t next_waiter_ = 1;
  std::set<uid_t> users_;
  UniqueFd table_, secrets_;
  std::vector<UniqueFd> lists_;  // the allowlists of the table
  std::uint64_t number_ = 0;
  Duration drain_timeout_{0};
  bool listening_ = false, wanted_ = false, probing_ = false;
  std::vector<ProbeOrder> orders_;  // of this turn of the loop
  std::uint32_t young_deaths_ = 0;
  std::function<void()> drained_;
  RouterWeighing weighing_{io_};
  std::optional<RouterUpgrade> router_upgrade_;
  std::function<void(RouterUpgradeEnd)> upgrade_done_;
  std::optional<TimePoint> respawn_due_;
  asio::steady_timer respawn_;
  Lifetime lifetime_;
};

}  // namespace gray::master
