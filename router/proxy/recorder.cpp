#include "router/proxy/recorder.hpp"

#include <cstring>
#include <string>
#include <string_view>

#include "config/base/log.hpp"
#include "router/stats/hex.hpp"

namespace gray::proxy {
namespace {

constexpr Duration kFlushInterval{200};  // how long a line may stay in memory
constexpr Duration kHopLogInterval{60'000};
constexpr std::size_t kMostOfHop = 100;  // bytes of a member in the log
constexpr Duration kWallAge{100};        // how late the lines follow a step of the wall clock

// splitmix64: every seed gives a sequence without repetition, and its outputs look unrelated.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

// "P12" is 12, "PROXY" is 0; nothing: a fault without a rule, such as lack of memory.
std::optional<std::size_t> number_of(std::string_view rule) {
  if (rule == "PROXY") return 0;
  std::size_t number = 0;
  if (!rule.starts_with('P')) return std::nullopt;
  for (const char digit : rule.substr(1)) number = number * 10 + static_cast<std::size_t>(digit - '0');
  return number < segment::kRules ? std::optional(number) : std::nullopt;
}

/// A request without identity counts for its client address.
std::uint64_t user_of(std::optional<std::uint64_t> identity_hash, const Address& client) {
  return identity_hash ? *identity_hash : std::hash<std::string>{}(client.ip_text());
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

void Recorder::record(ExchangeRecord& ended) {
  if (ended.row) {
    // The life of a tunnel is not a response time of its version; the time to its 101 is.
    const TimePoint answered = ended.counts.status == 101 ? ended.first_byte : engine_.now();
    ended.counts.duration = std::chrono::duration_cast<Micros>(answered - ended.started);
    segment::Row& row = backends_.counters().row(*ended.row);
    stats::record(row, ended.counts);
    if (ended.queued > Micros{0}) stats::record(row.waited, ended.queued);
    if (ended.compared) judge(ended, row);
  } else {
    stats::add(backends_.counters().wire().refused[static_cast<std::size_t>(ended.counts.reason)]);
  }
}

/// What the judge of releases compares (control/judge).
void Recorder::judge(const ExchangeRecord& ended, segment::Row& row) {
  auto& layout = backends_.counters().layout();
  const TimePoint now = engine_.now();
  if (ended.identity_hash) stats::mark_user(layout.versions[*ended.row], *ended.identity_hash);
  if (ended.cell && ended.granted != TimePoint{}) {
    const TimePoint answered = ended.first_byte == TimePoint{} ? now : ended.first_byte;
    const auto latency = std::chrono::duration_cast<Micros>(answered - ended.granted) + ended.queued;
    stats::record_sample(layout.workers[*ended.cell], row, latency, now);
  }
  if (stats::is_error(ended.counts.status, ended.counts.reason))
    stats::record_failing_user(layout, row, *ended.row, user_of(ended.identity_hash, *ended.client),
                               ended.counts.reason, now);
}

void Recorder::failed_attempt(std::uint32_t row, segment::Reason reason, bool targeted,
                              std::optional<std::uint64_t> identity_hash, const Address& client) {
  auto& counters = backends_.counters();
  stats::record_failed_attempt(counters.row(row));
  if (targeted || !stats::is_error(segment::status_of(reason), reason)) return;  // of stable it would not count, too
  stats::record_failing_user(counters.layout(), counters.row(row), row, user_of(identity_hash, client), reason,
                             engine_.now());
}

void Recorder::broken(const http::Fault& fault, segment::Side side) {
  const auto rule = number_of(fault.rule);
  if (rule) stats::add(backends_.counters().wire().faults[static_cast<std::size_t>(side)][*rule]);
}

void Recorder::unreadable_hop(std::string_view member, const Address& proxy) {
  if (hop_logged_ != TimePoint{} && engine_.now() - hop_logged_ < kHopLogInterval) return;
  hop_logged_ = engine_.now();
  log(LogLevel::warn, "X-Forwarded-For: \"" + std::string(member.substr(0, kMostOfHop)) + "\" from the trusted proxy " +
                          proxy.text() + " is not an address; the address before it counts as the client's");
}

void Recorder::ignored_forwards(const Address& peer) {
  stats::add(backends_.counters().wire().forwards_ignored, 1);
  if (proxy_reported_ || !is_nearby(peer)) return;
  proxy_reported_ = true;
  backends_.met_untrusted_proxy(peer);
}

void Recorder::write_line(const ExchangeRecord& ended, stats::AccessRecord& line) {
  const TimePoint now = engine_.now();
  const auto duration = std::chrono::duration_cast<Micros>(now - ended.started);
  line.time = wall(now) - duration;
  line.fallback = ended.counts.decision == segment::Decision::fallback;
  if (*ended.fault.rule == 'P') {  // a rule, "P12" or "PROXY"; not lack of memory
    line.fault = ended.fault.rule;
    line.fault_offset = ended.fault.offset;
    line.fault_side = ended.fault_side;
  }
  line.status = ended.counts.status;
  line.reason = ended.counts.reason;
  line.decision = ended.counts.decision;
  line.identity_hash = ended.identity_hash;
  line.retries = ended.counts.retries;
  line.bytes_in = ended.counts.bytes_in;
  line.bytes_out = ended.counts.bytes_out;
  line.duration = duration;
  line.queued = ended.queued;
  if (ended.first_byte != TimePoint{})
    line.upstream = std::chrono::duration_cast<Micros>(ended.first_byte - ended.granted);
  if (char* out = log_.room(stats::kMaxAccessLine)) log_.added(stats::format_access_line(line, clock_, out), now);
  count_lost();
  arm();
}

void Recorder::count_lost() {
  if (log_.dropped() == lost_) return;
  backends_.counters().log_lost().fetch_add(log_.dropped() - lost_, std::memory_order_relaxed);
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

void Recorder::impossible(State state) {
  log(LogLevel::error, std::string("internal error: impossible event for an exchange in state ") + name_of(state));
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
