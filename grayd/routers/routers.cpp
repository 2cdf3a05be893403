#include "grayd/routers/routers.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <stdexcept>
#include <utility>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "grayd/routers/respawn_delay.hpp"
#include "grayd/routers/router_user.hpp"

namespace gray::master {
namespace {

ChannelMessage message_of(ChannelMessage::Type type, std::uint64_t number = 0) {
  ChannelMessage message;
  message.type = type;
  message.number = number;
  return message;
}

UniqueFd copy_of(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

}  // namespace

Routers::Routers(asio::io_context& io, segment::Segment& segment, RouterCommand command, RouterSettings settings,
                 std::uint64_t memory_budget, Owner& owner, EventSink& events, RouterLimits limits)
    : io_(io),
      segment_(segment),
      command_(std::move(command)),
      settings_(std::move(settings)),
      memory_budget_(memory_budget),
      owner_(owner),
      events_(events),
      limits_(limits),
      respawn_(io) {}

void Routers::start() {
  wanted_ = true;
  spawn();
}

bool Routers::upgrade(RouterSettings settings, Duration drain_timeout, Duration timeout,
                      std::function<void(RouterUpgradeEnd)> done) {
  if (router_upgrade_) return false;
  new_settings_ = std::move(settings);
  drain_timeout_ = drain_timeout;
  upgrade_done_ = std::move(done);
  router_upgrade_.emplace(io_, static_cast<RouterUpgrade::Fleet&>(*this), timeout);
  make_room();
  return true;
}

/// The object is destroyed in the next turn of the loop, because its own function is still on the stack.
void Routers::upgrade_ended(RouterUpgradeEnd end) {
  if (end.code == ExitCode::ok) settings_ = new_settings_;
  asio::post(io_, lifetime_.guard([this, end = std::move(end)] {
    router_upgrade_.reset();
    if (const auto done = std::exchange(upgrade_done_, nullptr)) done(end);
  }));
}

void Routers::make_room() {
  if (router_upgrade_ && living_.size() < kGenerations) router_upgrade_->room();
}

std::string Routers::draining() const {
  std::string names;
  for (const auto& router : living_) {
    if (!router->leaving()) continue;
    names += fmt::format("{}router {} drains ({} s at most)", names.empty() ? "" : ", ", router->pid(),
                         std::chrono::ceil<std::chrono::seconds>(router->drains_for()).count());
  }
  return names.empty() ? "no other router drains" : names;
}

std::uint32_t Routers::free_router_slot() const {
  std::uint32_t router_slot = 0;
  const auto taken = [&](const auto& router) { return router->router_slot() == router_slot; };
  while (std::any_of(living_.begin(), living_.end(), taken)) ++router_slot;
  return router_slot;
}

void Routers::spawn() {
  const auto router_slot = free_router_slot();
  if (router_slot >= segment::kRouterSlots) return respawn_after(Duration{1'000});
  if (spawn_in(router_slot, settings_, false) == nullptr)
    respawn_after(std::max(respawn_delay(++young_deaths_), Duration{100}));
}

RouterGeneration* Routers::spawn_in(std::uint32_t router_slot, const RouterSettings& settings, bool warm_up) try {
  command_.user = user_of(settings);
  auto child = spawn_router(command_);
  const auto limit = warm_up ? limits_.warm_up : limits_.start;
  RouterGeneration::Owner& owner = *this;
  living_.push_back(std::make_unique<RouterGeneration>(io_, std::move(child), router_slot, limit, owner));
  send_hello(*living_.back(), settings, warm_up);
  report(EventKind::router_started, *living_.back(), {}, fmt::format("slot {}", router_slot));
  return living_.back().get();
} catch (const std::runtime_error& error) {
  log(LogLevel::error, fmt::format("cannot start a router: {}", error.what()));
  return nullptr;
}

std::optional<UserIds> Routers::user_of(const RouterSettings& settings) {
  const auto user = router_user(settings.user);
  if (user && user->uid != ::geteuid() && users_.insert(user->uid).second) owner_.router_user_added();
  return user;
}

void Routers::respawn_after(Duration delay) {
  respawn_due_ = Clock::now() + delay;
  await_respawn();
}

void Routers::await_respawn() {
  respawn_.expires_at(*respawn_due_);
  respawn_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (error) return;
    respawn_due_.reset();
    if (wanted_) spawn();
  }));
}

void Routers::send_hello(RouterGeneration& router, const RouterSettings& settings, bool warm_up) {
  auto hello = message_of(ChannelMessage::Type::hello);
  hello.router_slot = router.router_slot();
  hello.router = settings;
  hello.memory_budget = memory_budget_;
  hello.warm_up = warm_up;
  router.send(std::move(hello));
}

void Routers::send_table(RouterGeneration& router) {
  if (!table_) return;
  auto table = message_of(ChannelMessage::Type::table);
  table.number = number_;
  table.fd = copy_of(table_.get());
  for (const UniqueFd& list : lists_) table.lists.push_back(copy_of(list.get()));
  table.list_count = static_cast<std::uint32_t>(lists_.size());
  router.send(std::move(table));
}

void Routers::let_accept(RouterGeneration& router) {
  if (listening_ && router.ready()) router.send(message_of(ChannelMessage::Type::listen));
}

void Routers::publish(const RoutingTable& table, const std::vector<std::shared_ptr<const Allowlist>>& lists) {
  lists_.clear();
  for (const auto& list : lists) lists_.push_back(copy_of(list->fd()));
  table_ = sealed_memfd("grayd-table", to_json_text(table));
  number_ = table.number;
  for (const auto& router : living_) {
    if (router->greeted()) send_table(*router);
  }
}

void Routers::send_secrets(RouterGeneration& router) {
  if (!secrets_) return;
  auto message = message_of(ChannelMessage::Type::secrets);
  message.fd = copy_of(secrets_.get());
  router.send(std::move(message));
}

void Routers::secure(const TlsSecrets& secrets) {
  secrets_ = sealed_memfd("grayd-tls", to_json_text(secrets));
  for (const auto& router : living_) {
    if (router->greeted()) send_secrets(*router);
  }
}

void Routers::listen() {
  listening_ = true;
  for (const auto& router : living_) let_accept(*router);
}

void Routers::reopen(int access_log) {
  command_.access_log = access_log;
  for (const auto& router : living_) {
    auto message = message_of(ChannelMessage::Type::reopen);
    message.fd = copy_of(access_log);
    router->send(std::move(message));
  }
}

bool Routers::probe(ProbeOrder order) {
  if (newest_ready() == nullptr) return false;
  if (orders_.empty()) asio::post(io_, lifetime_.guard([this] { send_probes(); }));
  orders_.push_back(std::move(order));
  if (orders_.size() == kMostProbes) send_probes();
  return true;
}

void Routers::send_probes() {
  auto probe = message_of(ChannelMessage::Type::probe);
  probe.orders = std::exchange(orders_, {});
  auto* router = newest_ready();
  if (router != nullptr && !probe.orders.empty()) router->send(std::move(probe));
}

void Routers::weigh(RouterWeighing::Then then) {
  if (!weighing_.ask(std::move(then))) return;
  for (const auto& router : living_) {
    if (!router->was_ready() || router->view().state == RouterState::ending) continue;
    weighing_.asked(router->pid(), router->view().state);
    router->send(message_of(ChannelMessage::Type::weigh, weighing_.number()));
  }
  weighing_.wait();
}

RouterGeneration* Routers::newest_ready() const {
  const auto found = std::find_if(living_.rbegin(), living_.rend(), [](const auto& router) { return router->ready(); });
  return found == living_.rend() ? nullptr : found->get();
}

void Routers::greeted(RouterGeneration& router) {
  send_secrets(router);
  send_table(router);
  if (router_upgrade_) router_upgrade_->greeted(router);
}

/// A router that replaces a dead one serves at once; the new one of an upgrade is controlled by the upgrade.
void Routers::ready(RouterGeneration& router) {
  report(EventKind::router_ready, router, {},
         fmt::format("slot {}, after {:.1f} s", router.router_slot(), router.view().uptime_s));
  if (router_upgrade_ && router_upgrade_->concerns(router)) {
    router_upgrade_->ready(router);
  } else {
    let_accept(router);
    drain_older(router);
  }
  if (!std::exchange(probing_, true)) owner_.probing_possible(true);
  settle_waiters();
}

/// The newest router accepts new connections; the older ones are replaced.
void Routers::drain_older(const RouterGeneration& fresh) {
  for (const auto& router : living_) {
    if (router.get() == &fresh) break;
    if (!router->leaving()) router->drain(drain_timeout_, false);
  }
}

/// The object is destroyed in the next turn of the loop, because its own function is still on the stack.
void Routers::ended(RouterGeneration& router) {
  segment_.forget(router.router_slot());
  weighing_.ended(router.pid());
  report(router.leaving() ? EventKind::router_drained : EventKind::router_died, router, router.end(),
         fmt::format("slot {}: {}", router.router_slot(), router.end()));
  const bool upgrading = router_upgrade_ && router_upgrade_->concerns(router);
  if (router_upgrade_) router_upgrade_->ended(router);
  const auto is_it = [&](const auto& one) { return one.get() == &router; };
  const auto found = std::find_if(living_.begin(), living_.end(), is_it);
  asio::post(io_, [ended = std::move(*found)]() mutable { ended.reset(); });
  living_.erase(found);
  if (probing_ && newest_ready() == nullptr) owner_.probing_possible(probing_ = false);
  if (wanted_ && !router.leaving() && !upgrading && newest_ready() == nullptr) replace(router);
  make_room();
  settle_waiters();
  if (living_.empty() && drained_) asio::post(io_, std::exchange(drained_, nullptr));
}

void Routers::replace(const RouterGeneration& dead) {
  young_deaths_ = dead.died_young() ? young_deaths_ + 1 : 0;
  const auto delay = respawn_delay(young_deaths_);
  log(LogLevel::error, fmt::format("router {} (slot {}) ended: {}; a new one starts {}", dead.pid(), dead.router_slot(),
                                   dead.end(), delay.count() == 0 ? "now" : fmt::format("in {} ms", delay.count())));
  respawn_after(delay);
}

bool Routers::all_applied(std::uint64_t number) const {
  return std::all_of(living_.begin(), living_.end(),
                     [&](const auto& router) { return !router->was_ready() || router->applied() >= number; });
}

std::string Routers::laggards(std::uint64_t number) const {
  std::string names;
  for (const auto& router : living_) {
    if (router->was_ready() && router->applied() < number)
      names += fmt::format("{}router {}", names.empty() ? "" : ", ", router->pid());
  }
  return names;
}

/// The timer finds its waiter by number, because it may already have fired when the waiter is settled.
void Routers::when_applied(std::uint64_t number, Duration limit, std::function<void(std::string)> then) {
  const auto id = next_waiter_++;
  auto& waiter = waiters_.emplace(id, Waiter{number, std::move(then), asio::steady_timer(io_, limit)}).first->second;
  waiter.deadline.async_wait(lifetime_.guard([this, id](std::error_code) {
    auto late = waiters_.extract(id);
    if (late) late.mapped().then(laggards(late.mapped().number));
  }));
  settle_waiters();
}

void Routers::settle_waiters() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    if (!all_applied(waiter->second.number)) {
      ++waiter;
      continue;
    }
    asio::post(io_, [then = std::move(waiter->second.then)] { then({}); });
    waiter = waiters_.erase(waiter);
  }
  owner_.routers_changed();
}

void Routers::report(EventKind kind, const RouterGeneration& router, std::string cause, std::string text) {
  EventRecord event;
  event.kind = kind;
  event.pid = router.pid();
  event.cause = std::move(cause);
  event.text = std::move(text);
  events_.emit(std::move(event));
}

void Routers::drain(Duration timeout, std::function<void()> done) {
  wanted_ = false;
  router_upgrade_.reset();
  upgrade_done_ = nullptr;
  respawn_.cancel();
  if (done) drained_ = std::move(done);
  for (const auto& router : living_) router->drain(timeout, true);
  if (living_.empty() && drained_) asio::post(io_, std::exchange(drained_, nullptr));
}

template <class Io>
void Routers::archive(Io& io) {
  if constexpr (!Io::kLoads) send_probes();
  io("command", command_);
  io("settings", settings_);
  io("users", users_);
  io("table", table_);
  io("secrets", secrets_);
  io("lists", lists_);
  io("number", number_);
  io("drain_timeout", drain_timeout_);
  io("listening", listening_);
  io("wanted", wanted_);
  io("probing", probing_);
  io("young_deaths", young_deaths_);
  io("respawn_due", respawn_due_);
  RouterGeneration::Owner& owner = *this;
  io("living", living_, [&] { return std::make_unique<RouterGeneration>(io_, owner, kRestored); });
  if constexpr (Io::kLoads) {
    if (respawn_due_) await_respawn();
  }
}
template void Routers::archive(Save&);
template void Routers::archive(Load&);

std::vector<RouterView> Routers::view() const {
  std::vector<RouterView> views;
  for (const auto& router : living_) views.push_back(router->view());
  return views;
}

}  // namespace gray::master
