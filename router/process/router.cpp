#include "router/process/router.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <random>
#include <system_error>

#include "config/base/log.hpp"
#include "router/downstream/turn_away.hpp"

namespace gray::proxy {
namespace {

constexpr std::size_t kMaxTable = 16 << 20;  // bytes of a routing table
constexpr Duration kGather{5};               // the outcome of a probe waits for others, so that they share a message

std::uint32_t thread_count(std::uint32_t wanted) {
  const std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  return std::min(wanted == 0 ? cores : wanted, segment::kThreads);
}

UniqueFd duplicate(int fd) { return UniqueFd(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

}  // namespace

Router::Router(Inheritance inheritance, segment::Segment segment, const ChannelMessage& hello)
    : inheritance_(std::move(inheritance)),
      segment_(std::move(segment)),
      router_slot_(hello.router_slot),
      settings_(hello.router),
      memory_(hello.memory_budget, [this] { pressed(); }),
      main_(engine::make_engine(main_buffers_)),
      clients_(settings_.max_connections_per_client, settings_.max_connections, NetworkSet(settings_.trusted_proxies)),
      check_again_(this, [](void* self, TimePoint) { static_cast<Router*>(self)->run_warm_up_check(); }),
      report_outcomes_(this, [](void* self, TimePoint) { static_cast<Router*>(self)->report_outcomes(); }) {
  for (const UniqueFd& listener : inheritance_.listeners) listeners_.push_back(listener.get());
  for (const UniqueFd& listener : inheritance_.secured) secured_.push_back(listener.get());
  for (const UniqueFd& listener : inheritance_.proxied) proxied_.push_back(listener.get());
  if (hello.warm_up) warm_up_check_.emplace();
  start_threads();
}

Router::~Router() {
  ends_ = true;
  for (const auto& shard : shards_) shard->engine().stop();
  for (std::thread& thread : threads_) thread.join();
}

void Router::start_threads() {
  const std::uint32_t count = thread_count(settings_.threads);
  std::random_device random;
  for (std::uint32_t thread = 0; thread < count; ++thread) {
    const std::uint64_t seed = static_cast<std::uint64_t>(random()) << 32 | random();
    shards_.push_back(std::make_unique<Shard>(
        *this, *segment_,
        ShardOptions{{router_slot_, thread}, memory_, settings_, duplicate(inheritance_.access_log.get()), seed}));
  }
  for (const auto& shard : shards_) threads_.emplace_back([&shard = *shard] { shard.engine().run(); });
}

template <typename Task>
void Router::everywhere(Task task) {
  for (const auto& shard : shards_) shard->post([task, &shard = *shard] { task(shard); });
}

// Any thread of the router; the message says how it stands now.
void Router::pressed() {
  if (ends_) return;
  const auto mebibytes = [](std::size_t bytes) { return std::to_string(bytes >> 20); };
  const policy::MemoryLevel level = memory_.level();
  if (level >= policy::MemoryLevel::hurry || level == policy::MemoryLevel::ample) {
    log(level == policy::MemoryLevel::ample ? LogLevel::info : LogLevel::warn,
        "memory: " + mebibytes(memory_.used()) + " of " + mebibytes(memory_.limit()) +
            " MiB are in use: " + std::string(policy::effect_of(level)));
  }
  everywhere([](Shard& shard) { shard.relieve(); });
}

// ---- between threads

void Router::hand_over(std::uint32_t thread, int fd, std::uint32_t row, std::uint32_t cell, std::uint64_t generation) {
  Shard& shard = *shards_[thread];
  shard.post([=, &shard] { shard.backends().adopt(fd, row, cell, generation); });
}

void Router::wake(std::uint32_t thread, std::uint32_t row) {
  Shard& shard = *shards_[thread];
  shard.post([row, &shard] { shard.backends().advance(shard.backends().version(row)); });
}

void Router::ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row) {
  Shard& shard = *shards_[thread];
  shard.post([=, &shard] { shard.backends().offer(from, row); });
}

void Router::ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row, std::uint32_t cell,
                 std::uint64_t generation) {
  Shard& shard = *shards_[thread];
  shard.post([=, &shard] { shard.backends().offer(from, row, cell, generation); });
}

bool Router::admit(const Address& peer) {
  std::atomic<std::uint32_t>& total = segment_->connections[router_slot_];
  if (total.fetch_add(1) >= settings_.max_connections) {
    total.fetch_sub(1);
    return false;
  }
  const std::lock_guard lock(clients_mutex_);
  if (clients_.acquire(peer)) return true;
  total.fetch_sub(1);
  return false;
}

// The accepting thread keeps the connection unless another one has fewer.
void Router::assign(std::uint32_t thread, int fd, const Address& peer, Opening opening) {
  if (!admit(peer)) return opening == Opening::tls ? turn_away_silently(fd) : turn_away(fd);
  std::uint32_t best = thread;
  for (std::uint32_t other = 0; other < shards_.size(); ++other) {
    if (loads_[other].connections.load(std::memory_order_relaxed) <
        loads_[best].connections.load(std::memory_order_relaxed))
      best = other;
  }
  loads_[best].connections.fetch_add(1, std::memory_order_relaxed);
  Shard& shard = *shards_[best];
  if (best == thread) return shard.open(fd, peer, opening);
  shard.post([fd, peer, opening, &shard] { shard.open(fd, peer, opening); });
}

bool Router::claim(const Address& peer, const Address& client) {
  const std::lock_guard lock(clients_mutex_);
  return clients_.move(peer, client);
}

void Router::closed(std::uint32_t thread, const Address& peer) {
  loads_[thread].connections.fetch_sub(1, std::memory_order_relaxed);
  segment_->connections[router_slot_].fetch_sub(1);
  const std::lock_guard lock(clients_mutex_);
  clients_.release(peer);
}

void Router::probed(std::uint64_t id, ProbeAnswer answer) {
  if (WarmUpCheck::is_ours(id))
    return main_->post([this, id, answer = std::move(answer)] { reached(id, answer.ok, answer.detail); });
  {
    const std::lock_guard lock(outgoing_mutex_);
    outcomes_.push_back({id, answer.ok, std::move(answer.detail), answer.peer});
    if (outcomes_.size() > 1) return;
  }
  main_->post([this] { main_->timers().arm(report_outcomes_, main_->now() + kGather); });
}

void Router::report_outcomes() {
  std::vector<ProbeOutcome> all;
  {
    const std::lock_guard lock(outgoing_mutex_);
    all.swap(outcomes_);
  }
  for (auto from = all.begin(); from != all.end();) {
    const auto to = from + std::min<std::ptrdiff_t>(kMostProbes, all.end() - from);
    ChannelMessage message;
    message.type = ChannelMessage::Type::probed;
    message.outcomes.assign(std::make_move_iterator(from), std::make_move_iterator(to));
    report(std::move(message));
    from = to;
  }
}

void Router::drained(std::uint32_t) {
  if (drained_threads_.fetch_add(1) + 1 != shards_.size()) return;
  ChannelMessage message;
  message.type = ChannelMessage::Type::drained;
  report(std::move(message));
}

void Router::met_stranger(std::uint32_t cell, std::uint64_t generation, const PeerOwner& found) {
  ChannelMessage message;
  message.type = ChannelMessage::Type::stranger;
  message.cell = cell;
  message.number = generation;
  message.peer = found;
  report(std::move(message));
}

void Router::met_untrusted_proxy(const Address& peer) {
  if (proxy_reported_.exchange(true)) return;
  ChannelMessage message;
  message.type = ChannelMessage::Type::untrusted_proxy;
  message.detail = peer.kind == Address::Kind::unix_path ? "unix" : peer.ip_text();
  report(std::move(message));
}

void Router::handshake_failed(const Address& client, tls::HandshakeFailure failure) {
  complain(client, std::string("TLS handshake failed (") + tls::name_of(failure) + "): " + tls::explain(failure));
}

void Router::http2_failed(const Address& client, const char* rule) {
  complain(client, std::string("HTTP/2 connection ended: ") + rule);
}

void Router::complain(const Address& client, const std::string& text) {
  std::string line;
  {
    const std::lock_guard lock(complaints_mutex_);
    line = complaints_.line(client, text, Clock::now());
  }
  if (line.empty()) return;
  ChannelMessage message;
  message.type = ChannelMessage::Type::client_fault;
  message.detail = std::move(line);
  report(std::move(message));
}

void Router::worker_unused() {
  ChannelMessage message;
  message.type = ChannelMessage::Type::unused;
  report(std::move(message));
}

// ---- the channel

void Router::report(ChannelMessage message) {
  {
    const std::lock_guard lock(outgoing_mutex_);
    outgoing_.push_back(std::move(message));
  }
  main_->post([this] {
    if (!result_ && send() == Link::closed) end(1);
  });
}

int Router::run() {
  if (!main_->watch(inheritance_.channel.get(), channel_) || !main_->watch(segment_.freed(), freed_))
    throw std::system_error(errno, std::generic_category(), "watch the channel of the master");
  if (signals_.fd() >= 0) (void)main_->watch(signals_.fd(), signals_);
  main_->run();
  return result_.value_or(1);
}

// The channel is readable, or writable again.
void Router::serve_channel() {
  if (result_) return;
  if (receive() == Link::closed || send() == Link::closed) return end(1);
  run_warm_up_check();
}

// The channel has ended. Without a drain the master is dead.
void Router::end(int result) {
  if (result_) return;
  result_ = finished_ ? 0 : result;
  main_->stop();
}

// Another router has given units back.
void Router::serve_waiters() {
  std::uint64_t waiting = 0;
  for (const segment::VersionCell& version : segment_->versions) waiting |= version.waiters[router_slot_].load();
  for (const segment::WorkerCell& worker : segment_->workers) waiting |= worker.awaited[router_slot_].load();
  for (std::uint32_t thread = 0; thread < shards_.size(); ++thread) {
    if (((waiting | waiting >> segment::kThreads) >> thread & 1) == 0) continue;
    shards_[thread]->post([&shard = *shards_[thread]] { shard.backends().serve_waiters(); });
  }
}

Router::Link Router::receive() {
  while (true) {
    ChannelMessage message;
    std::string error;
    switch (receive_message(inheritance_.channel.get(), message, error)) {
      case ChannelResult::ok: handle(std::move(message)); break;
      case ChannelResult::again: return Link::open;
      case ChannelResult::invalid: log(LogLevel::error, "router: invalid message from the master: " + error); break;
      case ChannelResult::closed: return Link::closed;
    }
  }
}

Router::Link Router::send() {
  const std::lock_guard lock(outgoing_mutex_);
  std::size_t sent = 0;
  ChannelResult result = ChannelResult::ok;
  while (sent < outgoing_.size() &&
         (result = send_message(inheritance_.channel.get(), outgoing_[sent])) == ChannelResult::ok) {
    finished_ = finished_ || outgoing_[sent].type == ChannelMessage::Type::drained;
    ++sent;
  }
  outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (finished_) end(0);
  return result == ChannelResult::closed ? Link::closed : Link::open;
}

void Router::handle(ChannelMessage message) {
  using Type = ChannelMessage::Type;
  switch (message.type) {
    case Type::table: return take_table(std::move(message));
    case Type::listen: return everywhere([this](Shard& shard) { shard.listen(listeners_, proxied_, secured_); });
    case Type::secrets: return take_secrets(message);
    case Type::reopen: return reopen_log(message);
    case Type::drain:
      return everywhere(
          [timeout = message.timeout, at_once = message.ok](Shard& shard) { shard.drain(timeout, at_once); });
    case Type::probe: {
      Shard& shard = *shards_.front();
      return shard.post([&shard, orders = std::move(message.orders)] {
        for (const ProbeOrder& it : orders) shard.probe({it.id, it.address, it.http, it.timeout, it.owner, it.cell});
      });
    }
    case Type::weigh: return weigh(message.number);
    default: log(LogLevel::error, "router: the master sent a message that only a router may send");
  }
}

// The last thread that applies the table sends `applied`.
void Router::take_table(ChannelMessage message) {
  const auto text = read_memfd(message.fd.get(), kMaxTable);
  std::string error = "not a sealed memfd of a permitted size";
  auto parsed = text ? routing_table_from_json(*text, error) : std::nullopt;
  const auto table = parsed ? std::make_shared<const RoutingTable>(std::move(*parsed)) : nullptr;
  if (!table || !targets_.follow(table, std::move(message.lists), error))
    return log(LogLevel::error, "router: routing table " + std::to_string(message.number) + " is rejected: " + error);
  auto left = std::make_shared<std::atomic<std::size_t>>(shards_.size());
  everywhere([this, table, compiled = targets_.compiled(), left, number = message.number](Shard& shard) {
    shard.apply(table, compiled);
    if (left->fetch_sub(1) != 1) return;
    ChannelMessage applied;
    applied.type = ChannelMessage::Type::applied;
    applied.number = number;
    report(std::move(applied));
  });
  if (warm_up_check_) return warm_up_check_->follow(*table);
  report_ready();
}

// Contexts are built here, because that takes up to a millisecond for each certificate.
void Router::take_secrets(const ChannelMessage& message) {
  const auto text = read_memfd(message.fd.get(), TlsSecrets::kMaxBytes);
  std::string error = "not a sealed memfd of a permitted size";
  const auto secrets = text ? tls_secrets_from_json(*text, error) : std::nullopt;
  if (!secrets) return log(LogLevel::error, "router: the certificates are rejected: " + error);
  try {
    policies_ = std::make_shared<const tls::Policies>(*secrets, tls::Protocols{.h2 = settings_.h2}, policies_.get());
  } catch (const std::exception& problem) {
    return log(LogLevel::error, std::string("router: the certificates are rejected: ") + problem.what());
  }
  everywhere([policies = policies_](Shard& shard) { shard.secure(policies); });
}

void Router::report_ready() {
  if (std::exchange(reported_ready_, true)) return;
  ChannelMessage ready;
  ready.type = ChannelMessage::Type::ready;
  report(std::move(ready));
}

void Router::reached(std::uint64_t id, bool ok, const std::string& detail) {
  if (!warm_up_check_) return;
  warm_up_check_->probed(id, ok, detail, main_->now());
  if (!ok) {
    ChannelMessage complaint;
    complaint.type = ChannelMessage::Type::unreached;
    complaint.detail = warm_up_check_->complaint();
    report(std::move(complaint));
  }
  run_warm_up_check();
}

// The threads take turns, so that each reaches a worker if there are enough.
void Router::run_warm_up_check() {
  if (!warm_up_check_) return;
  const TimePoint now = main_->now();
  for (const ProbeRequest& request : warm_up_check_->due(now)) {
    Shard& shard = *shards_[next_checker_++ % shards_.size()];
    shard.post([&shard, request] { shard.probe(request); });
  }
  if (!warm_up_check_->complete()) {
    if (const auto next = warm_up_check_->next()) main_->timers().arm(check_again_, *next);
    return;
  }
  warm_up_check_.reset();
  report_ready();
}

void Router::reopen_log(const ChannelMessage& message) {
  inheritance_.access_log = duplicate(message.fd.get());
  for (const auto& shard : shards_) {
    auto fd = std::make_shared<UniqueFd>(duplicate(message.fd.get()));
    shard->post([fd, &shard = *shard] { shard.reopen_log(std::move(*fd)); });
  }
}

}  // namespace gray::proxy
