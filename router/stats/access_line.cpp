#include "router/stats/access_line.hpp"

#include <algorithm>

namespace gray::stats {
namespace {

/// Measured times and statuses are never negative.
std::uint64_t count_of(std::int64_t value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)); }

void write_request(JsonLine& line, const AccessRecord& record) {
  record.own_id ? line.plain("request_id", record.request_id, kMaxIdText)
                : line.text("request_id", record.request_id, kMaxIdText);
  line.plain("client", record.client, kMaxClientText);
  line.text("method", record.method, kMaxMethodText);
  line.text("host", record.host, kMaxHostText);
  line.text("path", record.path.substr(0, record.path.find('?')), kMaxPathText);
}

void write_outcome(JsonLine& line, const AccessRecord& record) {
  line.number("status", count_of(record.status));
  line.plain("reason", segment::name_of(record.reason), kMaxNameText);
  line.number("bytes_in", record.bytes_in);
  line.number("bytes_out", record.bytes_out);
  line.number("duration_us", count_of(record.duration.count()));
  line.number("upstream_us", count_of(record.upstream.count()));
  line.number("queued_us", count_of(record.queued.count()));
}

void write_decision(JsonLine& line, const AccessRecord& record) {
  line.members(record.destination);
  line.plain("worker", record.worker, kMaxNameText);
  line.plain("decision", segment::name_of(record.decision), kMaxNameText);
  line.members(record.identity_source);
  record.identity_hash ? line.hex("identity_hash", *record.identity_hash) : line.null("identity_hash");
  line.members(record.rule);
  line.boolean("fallback", record.fallback);
  line.number("retries", record.retries);
}

// A function of its own, so that in the usual line the position in the buffer stays in a register.
constexpr std::size_t kMaxRare = JsonLine::kMaxFrame + 2 * JsonLine::kMaxScalar +
                                 2 * JsonLine::max_plain(kMaxNameText) + 2 * JsonLine::max_plain(kMaxTraceText) +
                                 2 * JsonLine::max_plain(kMaxNameText) + 2 * JsonLine::max_plain(kMaxFaultText);

[[gnu::cold, gnu::noinline]] std::string_view rare_members(const AccessRecord& record, char* out) {
  JsonLine line(out);
  if (!record.trace.empty()) {
    line.plain("trace", record.trace, kMaxTraceText);
    line.plain("span", record.span, kMaxTraceText);
  }
  if (!record.matched_rule.empty()) line.plain("rule", record.matched_rule, kMaxNameText);
  if (record.listed) line.boolean("listed", true);
  if (!record.asked_first.empty()) {
    line.plain("asked_first", record.asked_first, kMaxNameText);
    line.plain("first_decision", segment::name_of(record.first_decision), kMaxNameText);
  }
  if (record.canary_failure != segment::Reason::none)
    line.plain("canary_failure", segment::name_of(record.canary_failure), kMaxNameText);
  if (!record.fault.empty()) {
    line.plain("fault", record.fault, kMaxFaultText);
    line.number("offset", record.fault_offset);
    line.plain("fault_side", segment::name_of(record.fault_side), kMaxFaultText);
  }
  return line.inside();
}

}  // namespace

std::string destination_members(std::string_view service, std::string_view version) {
  char text[kMaxPlace + JsonLine::kMaxFrame];
  JsonLine line(text);
  line.plain("service", service, kMaxNameText);
  line.plain("version", version, kMaxNameText);
  return std::string(line.inside());
}

std::string identity_member(std::string_view source) {
  char text[JsonLine::max_plain(kMaxNameText) + JsonLine::kMaxFrame];
  JsonLine line(text);
  line.plain("identity_source", source, kMaxNameText);
  return std::string(line.inside());
}

std::string rule_members(const LoggedRule& rule) {
  char text[kMaxRule + JsonLine::kMaxFrame];
  JsonLine line(text);
  line.text("salt", rule.salt, kMaxSaltText);
  rule.threshold.everyone ? line.plain("threshold", "all", 3) : line.hex("threshold", rule.threshold.below);
  line.number("table", rule.table);
  line.plain("stable", rule.stable, kMaxNameText);
  line.plain("canary", rule.canary, kMaxNameText);
  return std::string(line.inside());
}

std::size_t format_access_line(const AccessRecord& record, LineClock& clock, char* out) {
  JsonLine line(out);
  line.timestamp("time", record.time, clock);
  write_request(line, record);
  write_outcome(line, record);
  write_decision(line, record);
  if (!record.trace.empty() || !record.fault.empty() || !record.asked_first.empty() || !record.matched_rule.empty() ||
      record.listed || record.canary_failure != segment::Reason::none) {
    char rare[kMaxRare];
    line.members(rare_members(record, rare));
  }
  return line.finish();
}

}  // namespace gray::stats
