#pragma once
// All living router processes. Invariants: a slot has at most one process, and is forgotten in the segment only after
// the process was waited for; every living router gets every table, the newest one first when it greets; while
// `wanted`, a router that dies is replaced. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/event_record.hpp"
#include "config/routing_table.hpp"
#include "config/segment.hpp"
#include "grayd/lifetime.hpp"
#include "grayd/router_generation.hpp"

namespace gray::master {

class Routers {
 public:
  struct Events {
    std::function<void()> changed;  // one became ready, applied a table or ended
    std::function<void(std::uint64_t id, bool ok, const std::string& detail)> probed;
    std::function<void(bool possible)> probing_possible;
    std::function<void(EventRecord)> happened = [](const EventRecord&) {};
  };
  /// The descriptors in `command` are borrowed for the life of the object. `start_limit`: from start to ready.
  Routers(asio::io_context& io, segment::Segment& segment, RouterCommand command, RouterSettings settings,
          std::uint64_t memory_budget, Events events, Duration start_limit = Duration{10'000});

  /// Starts a router and from now on replaces one that dies. `cgroup`: RouterCommand::cgroup, known only now.
  void start(const std::string& cgroup);
  /// Starts a new generation with other settings; once it is ready, the old ones drain. Until then they serve on.
  void renew(RouterSettings settings, Duration drain_timeout);
  /// Sends a whole new table; its number must be higher than any before.
  void publish(const RoutingTable& table);
  /// The listeners listen: every router accepts, those to come too.
  void listen();
  /// The log was opened anew: borrowed, replaces the one of the command.
  void reopen(int access_log);
  /// Asks the newest ready router; false if there is none.
  bool probe(std::uint64_t id, std::uint32_t cell, const Address& address, const std::string& path, Duration timeout);

  bool any_ready() const { return newest_ready() != nullptr; }
  /// Every living router routes by table `number` or a newer one. A router that dies no longer counts: what replaces it
  /// starts with the newest table.
  bool all_applied(std::uint64_t number) const;
  /// Calls `then` once all_applied(number), or after `limit` with the routers that lag, for people; never
  /// synchronously.
  void when_applied(std::uint64_t number, Duration limit, std::function<void(std::string laggards)> then);

  /// Ends every router, none is replaced; `done` once, when the last process is gone. May be repeated with a shorter
  /// time.
  void drain(Duration timeout, std::function<void()> done);

  std::vector<RouterView> view() const;

 private:
  struct Waiter {
    std::uint64_t number;
    std::function<void(std::string)> then;
    asio::steady_timer deadline;
  };
  void spawn();
  void respawn_after(Duration delay);
  std::uint32_t free_slot() const;
  RouterGeneration::Events events_of_one();
  void send_hello(RouterGeneration& router);
  void send_table(RouterGeneration& router);
  void on_ready(const RouterGeneration& router);
  void on_ended(RouterGeneration& router);
  void replace(const RouterGeneration& dead);
  void settle_waiters();
  void tell(EventKind kind, const RouterGeneration& router, std::string cause, std::string text);
  std::string laggards(std::uint64_t number) const;
  RouterGeneration* newest_ready() const;

  asio::io_context& io_;
  segment::Segment& segment_;
  RouterCommand command_;
  RouterSettings settings_;
  std::uint64_t memory_budget_;
  Events events_;
  Duration start_limit_;
  std::list<std::unique_ptr<RouterGeneration>> living_;  // oldest first
  std::map<std::uint64_t, Waiter> waiters_;
  std::uint64_t next_waiter_ = 1;
  UniqueFd table_;
  std::uint64_t number_ = 0;
  Duration drain_timeout_{0};
  bool listening_ = false, wanted_ = false, probing_ = false;
  std::uint32_t young_deaths_ = 0;
  std::function<void()> drained_;
  asio::steady_timer respawn_;
  Lifetime lifetime_;
};

}  // namespace gray::master
