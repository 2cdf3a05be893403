#include "router/process/shard.hpp"

#include <malloc.h>

#include <algorithm>
#include <new>
#include <unordered_set>

#include "config/base/log.hpp"
#include "router/backends/upstream.hpp"
#include "router/downstream/turn_away.hpp"
#include "router/engine/allocation_faults.hpp"
#include "router/engine/stream.hpp"

namespace gray::proxy {
namespace {

// A client that has just connected may have sent its first request already: during a stop it gets this much time.
constexpr Duration kFreshGrace{500};

// After a peak: what is not needed any more is halved so often, and given back to the system.
constexpr Duration kTrimInterval{1'000};
constexpr std::size_t kWorthReturning = 64 << 10;  // bytes
constexpr std::size_t kSpareConnections = 32;      // so many objects are always kept
constexpr std::size_t kConnectionBytes = sizeof(Downstream) + sizeof(engine::Stream);

/// Buffers that may be too old are those of a request that waits: for its head, a socket, or the start of an answer.
Duration leak_age(const RoutingTable& table) {
  Duration longest{0};
  for (const ServiceRoute& service : table.services) {
    const Limits& limits = service.limits;
    longest =
        std::max({longest, limits.head_timeout, limits.queue_timeout, limits.connect_timeout, limits.request_timeout});
  }
  return std::max(engine::LeakDetector::kLeastAge, 2 * longest);
}

}  // namespace

Shard::Shard(ShardHost& host, segment::Layout& layout, ShardOptions options)
    : DownstreamOwner(context_, transactions_),
      trim_(this, [](void* self, TimePoint) { static_cast<Shard*>(self)->trim(); }),
      sweep_(this, [](void* self, TimePoint) { static_cast<Shard*>(self)->sweep(); }),
      relieve_again_(this, [](void* self, TimePoint) { static_cast<Shard*>(self)->relieve(); }),
      host_(host),
      options_(std::move(options)),
      buffers_(
          options_.memory, [this] { trim_later(); },
          layout.memory[options_.shard_id.router_slot][options_.shard_id.thread],
          engine::LeakDetector(options_.id_seed, [this] { sweep_later(); })),
      engine_(options_.make_engine(buffers_)),
      outbox_(*engine_),
      request_scratch_(new http::RequestHead),
      response_scratch_(new http::ResponseHead),
      shard_context_{*engine_, buffers_, outbox_, options_.memory},
      backends_(*engine_, layout, options_.shard_id, host,
                [this](ConnectionOwner& owner) {
                  return std::make_unique<Upstream>(shard_context_, *response_scratch_, owner,
                                                    backends_.counters().wire());
                }),
      recorder_(*engine_, backends_, std::move(options_.access_log), options_.id_seed),
      context_{shard_context_,   backends_,           tables_, recorder_, options_.settings,
               trusted_proxies_, options_.rate_window},
      prober_(*engine_, layout, *response_scratch_,
              [this](std::uint64_t id, ProbeAnswer answer) { host_.probed(id, std::move(answer)); }),
      drain_step_(this, [](void* self, TimePoint) { static_cast<Shard*>(self)->continue_drain(); }) {}

Shard::~Shard() {
  trims_ = false;
  engine_->timers().disarm(trim_);
  engine_->timers().disarm(sweep_);
  engine_->timers().disarm(relieve_again_);
  options_.memory.give(downstreams_.size() * kConnectionBytes);
}

void Shard::post(std::function<void()> task) {
  engine_->post([this, task = std::move(task)] {
    task();
    outbox_.flush();
  });
}

void Shard::apply(std::shared_ptr<const RoutingTable> table, ServiceTargets targets) {
  scan_.marks().keep([&](std::uint32_t row) {
    return std::ranges::any_of(table->services, [&](const ServiceRoute& service) {
      return std::ranges::any_of(service.versions, [&](const VersionRoute& version) { return version.row == row; });
    });
  });
  tables_.replace(table, std::move(targets));
  backends_.apply(*table);
  buffers_.detector().set_level(table->leak_detection);
  buffers_.detector().set_rules({.age = leak_age(*table)});
}

void Shard::listen(const std::vector<int>& listeners, const std::vector<int>& proxied) {
  if (std::exchange(listening_, true) || context_.draining) return;
  for (const int fd : listeners) engine_->listen(fd, door_);
  for (const int fd : proxied) engine_->listen(fd, proxied_door_);
}

void Shard::Door::on_accept(int fd, const Address& peer) {
  shard.host_.assign(shard.options_.shard_id.thread, fd, peer, opening);
}

bool Shard::add_connection() {
  std::unique_ptr<Downstream> made(new (std::nothrow) Downstream(*this));
  if (!made) return false;
  options_.memory.add(kConnectionBytes);
  downstreams_.push_back(std::move(made));
  spare_.reserve(downstreams_.size());
  spare_.push_back(downstreams_.back().get());
  return true;
}

void Shard::open(int fd, const Address& peer, Opening opening) {
  if (engine::allocation_fails() || (spare_.empty() && !add_connection())) {
    turn_away(fd);
    return host_.closed(options_.shard_id.thread, peer);
  }
  Downstream& downstream = *spare_.back();
  spare_.pop_back();
  scan_.wake();
  open_peak_.saw(downstreams_.size() - spare_.size());
  if (!downstream.open(fd, peer, opening)) gone(downstream);
  if (context_.draining) judge_drain();
}

void Shard::gone(Downstream& downstream) {
  spare_.push_back(&downstream);
  if (spare_.size() == kSpareConnections + 1) trim_later();
  host_.closed(options_.shard_id.thread, downstream.peer());
  if (context_.draining) judge_drain();
}

// ---- memory that a peak has needed

void Shard::trim_later() {
  if (trims_ && !trim_.armed()) engine_->timers().arm(trim_, engine_->now() + kTrimInterval);
}

void Shard::trim() {
  const std::size_t freed = engine_->trim() + transactions_.trim() + buffers_.trim() + trim_connections();
  if (freed >= kWorthReturning) ::malloc_trim(0);
  if (engine_->has_surplus() || transactions_.has_surplus() || buffers_.has_surplus() ||
      spare_.size() > kSpareConnections)
    trim_later();
}

std::size_t Shard::trim_connections() {
  const std::size_t open = downstreams_.size() - spare_.size();
  const std::size_t surplus = open_peak_.trim(open, spare_.size(), kSpareConnections);
  if (surplus == 0) return 0;
  const std::unordered_set<const Downstream*> dropped(spare_.end() - static_cast<std::ptrdiff_t>(surplus),
                                                      spare_.end());
  spare_.resize(spare_.size() - surplus);
  std::erase_if(downstreams_, [&](const auto& downstream) { return dropped.contains(downstream.get()); });
  downstreams_.shrink_to_fit();
  options_.memory.give(surplus * kConnectionBytes);
  return surplus * kConnectionBytes;
}

void Shard::give_back_spare() {
  if (buffers_.drop_kept() + transactions_.drop_unused() + trim_connections() >= kWorthReturning) ::malloc_trim(0);
}

// ---- buffers that are held for too long

void Shard::sweep_later() {
  if (!sweep_.armed()) engine_->timers().arm(sweep_, engine_->now() + engine::LeakDetector::kSweepInterval);
}

void Shard::sweep() {
  const auto is_open = [this](std::uint64_t owner) { return engine_->is_open(engine::StreamId::of_key(owner)); };
  for (const engine::Leak& leak : buffers_.sweep(engine_->now(), is_open)) report(leak);
  if (buffers_.detector().watched() > 0) sweep_later();
}

void Shard::report(const engine::Leak& leak) const {
  log(LogLevel::error, "router: " + engine::text_of(leak, buffers_.detector().per()));
}

// ---- the end

void Shard::drain(Duration timeout, bool at_once) {
  if (std::exchange(listening_, false)) engine_->stop_listening();
  context_.draining = true;
  backends_.drain();
  drain_until_ = engine_->now() + timeout;
  end_tunnels_at_ = drain_until_ - grace_period(timeout);
  fresh_until_ = at_once ? engine_->now() + kFreshGrace : drain_until_;
  if (at_once) close_idle(false);
  engine_->when_empty([this] { end_drain(); });
  continue_drain();
}

void Shard::close_idle(bool fresh_too) {
  for (const auto& downstream : downstreams_) {
    if (downstream->is_open() && downstream->idle() && (fresh_too || !downstream->fresh())) downstream->retire();
  }
}

// A connection changed after a step of the drain was done: repeats that step, but not from within a call of the
// connection.
void Shard::judge_drain() {
  const TimePoint now = engine_->now();
  if (now >= std::min(fresh_until_, end_tunnels_at_) && !drained_) engine_->timers().arm(drain_step_, now);
}

// Answers that are still being sent count too: an exit of the process would lose the unsent bytes. Once the last
// stream is closed and its units are back, the engine calls end_drain().
void Shard::continue_drain() {
  const TimePoint now = engine_->now();
  if (now >= fresh_until_) close_idle(true);
  if (now >= end_tunnels_at_) {
    for (const auto& downstream : downstreams_) downstream->end_tunnel(segment::Reason::draining);
  }
  if (now >= drain_until_) cut_short();
  TimePoint next = kNever;
  for (const TimePoint step : {fresh_until_, end_tunnels_at_, drain_until_}) {
    if (step > now) next = std::min(next, step);
  }
  if (next != kNever && (!drain_step_.armed() || next < drain_step_.deadline()))
    engine_->timers().arm(drain_step_, next);
}

void Shard::cut_short() {
  for (const auto& downstream : downstreams_) downstream->shut();
  backends_.cut_short();
  prober_.cut_short();
}

void Shard::end_drain() {
  if (std::exchange(drained_, true)) return;
  engine_->timers().disarm(drain_step_);
  for (const engine::Leak& leak : buffers_.left_over()) report(leak);
  recorder_.flush();
  host_.drained(options_.shard_id.thread);
}

}  // namespace gray::proxy
