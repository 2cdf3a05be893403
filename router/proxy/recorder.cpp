#include "router/proxy/recorder.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/log.hpp"
#include "router/proxy/exchange.hpp"
#include "router/stats/hex.hpp"

namespace gray::proxy {
namespace {

constexpr Duration kFlushInterval{200};  // how long a line may wait in memory
constexpr Duration kWallAge{100};        // a step of the wall clock shows in the lines that late

// splitmix64: every seed gives a sequence without repetition, and its outputs look unrelated.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

// "P12" is 12, "PROXY" is 0; nothing: a fault that is no rule's, as of memory.
std::optional<std::size_t> number_of(std::string_view rule) {
  if (rule == "PROXY") return 0;
  std::size_t number = 0;
  if (!rule.starts_with('P')) return std::nullopt;
  for (const char digit : rule.substr(1)) number = number * 10 + static_cast<std::size_t>(digit - '0');
  return number < segment::kRules ? std::optional(number) : std::nullopt;
}

}  // namespace

Recorder::Recorder(engine::Engine& engine, Backends& backends, UniqueFd access_log, std::uint64_t id_seed)
    : engine_(engine),
      backends_(backends),
      log_(std::move(access_log), kFlushInterval),
      flush_(this,
             [](void* self, TimePoint now) {
               static_cast<Recorder*>(self)->log_.on_time(now);
               static_cast<Recorder*>(self)->count_lost();
               static_cast<Recorder*>(self)->arm();
             }),
      id_low_(id_seed) {
  stats::write_hex(mix(id_seed), id_high_.data());
}

void Recorder::make_id(std::array<char, 32>& id) {
  id_low_ += 0x9e3779b97f4a7c15ull;
  std::memcpy(id.data(), id_high_.data(), id_high_.size());
  stats::write_hex(mix(id_low_), id.data() + id_high_.size());
}

void Recorder::record(const Exchange& exchange) {
  if (exchange.version_ != nullptr) {
    // How long a tunnel stood says nothing about how quickly its version answers: its 101 does.
    const TimePoint answered = exchange.status_ == 101 ? exchange.first_byte_ : engine_.now();
    const auto duration = std::chrono::duration_cast<Micros>(answered - exchange.started_);
    segment::Row& row = backends_.row(exchange.version_->row);
    stats::record(row, {.status = exchange.status_,
                        .reason = exchange.reason_,
                        .decision = exchange.choice_.decision,
                        .retries = exchange.retries_,
                        .bytes_in = exchange.bytes_in_,
                        .bytes_out = exchange.bytes_out_,
                        .duration = duration});
    if (exchange.waited_ > Micros{0}) stats::record(row.waited, exchange.waited_);
  } else {
    stats::add(backends_.wire().refused[static_cast<std::size_t>(exchange.reason_)]);
  }
  if (log_.enabled()) write_line(exchange);
}

void Recorder::broken(const http::Fault& fault, segment::Side side) {
  const auto rule = number_of(fault.rule);
  if (rule) stats::add(backends_.wire().faults[static_cast<std::size_t>(side)][*rule]);
}

void Recorder::write_line(const Exchange& exchange) {
  const TimePoint now = engine_.now();
  const auto duration = std::chrono::duration_cast<Micros>(now - exchange.started_);
  stats::AccessRecord record;
  record.time = wall(now) - duration;
  record.request_id = exchange.request_id_;
  record.own_id = record.request_id.data() == exchange.own_id_.data();
  // Behind a trusted proxy the client is not the peer, and its text is made here: the one allocation, off the usual
  // path.
  const std::string hop = exchange.info_.trusted ? exchange.client_address_.ip_text() : std::string();
  record.client = exchange.info_.trusted ? std::string_view(hop) : exchange.info_.ip;
  record.method = exchange.method_text_;
  record.host = exchange.host_;
  record.path = exchange.path_;
  record.status = exchange.status_;
  record.reason = exchange.reason_;
  record.bytes_in = exchange.bytes_in_;
  record.bytes_out = exchange.bytes_out_;
  record.duration = duration;
  if (exchange.first_byte_ != TimePoint{})
    record.upstream = std::chrono::duration_cast<Micros>(exchange.first_byte_ - exchange.granted_);
  record.queued = exchange.waited_;
  if (exchange.view_ != nullptr) record.rule = exchange.view_->unrouted_rule;
  if (exchange.service_ != nullptr) {
    const LogMembers& members = exchange.view_->log_members(*exchange.service_);
    record.rule = members.rule;
    record.place = exchange.version_ != nullptr ? members.places[exchange.choice_.version] : members.no_version;
  }
  if (exchange.worker_ != nullptr) record.worker = exchange.worker_->id;
  record.decision = exchange.choice_.decision;
  if (exchange.choice_.identified) record.identity_hash = exchange.choice_.identity_hash;
  record.fallback = exchange.choice_.decision == segment::Decision::fallback;
  record.retries = exchange.retries_;
  if (!exchange.trace_id_.empty()) {
    record.trace = exchange.trace_id_;
    record.span = exchange.span();
  }
  if (*exchange.fault_.rule == 'P') {  // a rule, "P12" or "PROXY"; a fault of memory is none
    record.fault = exchange.fault_.rule;
    record.fault_offset = exchange.fault_.offset;
    record.fault_side = exchange.fault_side_;
  }
  if (char* line = log_.room(stats::kMaxAccessLine)) log_.added(stats::format_access_line(record, clock_, line), now);
  count_lost();
  arm();
}

void Recorder::count_lost() {
  if (log_.dropped() == lost_) return;
  backends_.log_lost().fetch_add(log_.dropped() - lost_, std::memory_order_relaxed);
  lost_ = log_.dropped();
}

stats::WallTime Recorder::wall(TimePoint now) {
  if (now - wall_asked_ >= kWallAge) {
    wall_asked_ = now;
    wall_then_ = std::chrono::time_point_cast<Micros>(std::chrono::system_clock::now());
  }
  return wall_then_ + std::chrono::duration_cast<Micros>(now - wall_asked_);
}

void Recorder::arm() {
  if (const auto deadline = log_.next_deadline(); deadline && !flush_.armed()) engine_.timers().arm(flush_, *deadline);
}

void Recorder::impossible(const Exchange& exchange) {
  log(LogLevel::error,
      std::string("the exchange machine met a pair that cannot be, in state ") + name_of(exchange.state_));
}

void Recorder::reopen(UniqueFd access_log) {
  log_.reopen(std::move(access_log), engine_.now());
  count_lost();
}

void Recorder::flush() {
  log_.flush(engine_.now());
  count_lost();
}

}  // namespace gray::proxy
