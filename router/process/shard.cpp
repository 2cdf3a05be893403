#include "router/process/shard.hpp"

#include <malloc.h>

#include <algorithm>
#include <new>

#include "config/base/log.hpp"
#include "router/backends/upstream.hpp"
#include "router/downstream/turn_away.hpp"
#include "router/engine/allocation_faults.hpp"

namespace gray::proxy {
namespace {

// A client that has just connected may have sent its first request already: during a stop it gets this much time.
constexpr Duration kFreshGrace{500};

// After a peak: what is not needed any more is halved so often, and given back to the system.
constexpr Duration kTrimInterval{1'000};
constexpr std::size_t kWorthReturning = 64 << 10;  // bytes

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
      backends_(
          *engine_, layout, options_.shard_id, host,
          [this](ConnectionOwner& owner) {
            return std::make_unique<Upstream>(shard_context_, *response_scratch_, owner, backends_.counters().wire());
          },
          [this] { trim_later(); }),
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
}

void Shard::post(std::function<void()> task) {
  engine_->post([this, task = std::move(task)] {
    task();
    outbox_.flush();
  });
}

void Shard::apply(std::shared_ptr<const RoutingTable> table, CompiledTable compiled) {
  scan_.marks().keep([&](std::uint32_t row) {
    return std::ranges::any_of(table->services, [&](const ServiceRoute& service) {
      return std::ranges::any_of(service.versions, [&](const VersionRoute& version) { return version.row == row; });
    });
  });
  tables_.replace(table, std::move(compiled));
  backends_.apply(*table);
  buffers_.detector().set_level(table->leak_detection);
  buffers_.detector().set_rules({.age = leak_age(*table)});
}

void Shard::listen(const std::vector<int>& listeners, const std::vector<int>& proxied,
                   const std::vector<int>& secured) {
  if (std::exchange(listening_, true) || context_.draining) return;
  for (const int fd : listeners) engine_->listen(fd, door_);
  for (const int fd : proxied) engine_->listen(fd, proxied_door_);
  secured_ = secured;
  if (!policies_) return;
  for (const int fd : secured_) engine_->listen(fd, tls_door_);
}

void Shard::secure(std::shared_ptr<const tls::Policies> policies) {
  const bool first = policies_ == nullptr && policies != nullptr;
  policies_ = std::move(policies);
  if (!first || !listening_ || context_.draining) return;
  for (const int fd : secured_) engine_->listen(fd, tls_door_);
}

void Shard::tls_closed() {
  freed_by_tls_ += tls::Session::kOpenBytes;
  trim_later();
}

// Connections keep the rooms that they began with.
std::shared_ptr<Http2Shared> Shard::http2_shared() {
  const http::HeadLimits& head = tables_.current().head;
  if (!http2_ || http2_->rooms.limits().bytes != head.bytes || http2_->rooms.limits().fields != head.fields)
    http2_ = std::make_shared<Http2Shared>(head);
  return http2_;
}

void Shard::Door::on_accept(int fd, const Address& peer) {
  shard.host_.assign(shard.options_.shard_id.thread, fd, peer, opening);
}

void Shard::open(int fd, const Address& peer, Opening opening) {
  const auto make = [this] { return std::unique_ptr<Downstream>(new (std::nothrow) Downstream(*this)); };
  Downstream* downstream = engine::allocation_fails() ? nullptr : downstreams_.take(make);
  if (downstream == nullptr) {
    opening == Opening::tls ? turn_away_silently(fd) : turn_away(fd);
    return host_.closed(options_.shard_id.thread, peer);
  }
  scan_.wake();
  if (!downstream->open(fd, peer, opening)) gone(*downstream);
  if (context_.draining) judge_drain();
}

void Shard::gone(Downstream& downstream) {
  downstreams_.give_back(downstream);
  host_.closed(options_.shard_id.thread, downstream.peer());
  if (context_.draining) judge_drain();
}

// ---- memory that a peak has needed

void Shard::trim_later() {
  if (trims_ && !trim_.armed()) engine_->timers().arm(trim_, engine_->now() + kTrimInterval);
}

void Shard::trim() {
  return_memory(engine_->trim() + transactions_.trim() + buffers_.trim() + trim_connections() +
                (http2_ ? http2_->trim() : 0) + std::exchange(freed_by_tls_, 0));
  if (engine_->has_surplus() || transactions_.has_surplus() || buffers_.has_surplus() || downstreams_.has_surplus() ||
      (http2_ && http2_->has_surplus()) || backends_.has_surplus())
    trim_later();
}

std::size_t Shard::trim_connections() { return downstreams_.trim() * sizeof(Downstream) + backends_.trim(); }

void Shard::give_back_spare() {
  return_memory(engine_->trim() + buffers_.drop_kept() + transactions_.drop_unused() + trim_connections());
}

void Shard::return_memory(std::size_t freed) {
  if (freed >= kWorthReturning) ::malloc_trim(0);
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
  downstreams_.for_each([](Downstream& downstream) { downstream.begin_drain(); });
  outbox_.flush();
  if (at_once) close_idle(false);
  engine_->when_empty([this] { end_drain(); });
  continue_drain();
}

void Shard::close_idle(bool fresh_too) {
  downstreams_.for_each([fresh_too](Downstream& downstream) {
    if (downstream.is_open() && downstream.idle() && (fresh_too || !downstream.fresh())) downstream.retire();
  });
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
    downstreams_.for_each([](Downstream& downstream) { downstream.end_tunnel(segment::Reason::draining); });
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
  downstreams_.for_each([](Downstream& downstream) { downstream.shut(); });
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
