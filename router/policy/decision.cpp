#include "router/policy/decision.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "router/http/split.hpp"
#include "router/policy/affinity.hpp"
#include "router/policy/identity.hpp"
#include "router/targeting/pairs.hpp"
#include "router/targeting/rule_trace.hpp"

namespace gray::policy {
namespace {

using segment::Decision;

constexpr std::size_t kJoined = 256;  // salt and identity that are hashed in one piece

std::optional<std::uint32_t> version_named(const ServiceRoute& route, std::string_view name) {
  for (std::uint32_t i = 0; i < route.versions.size(); ++i) {
    if (route.versions[i].name == name) return i;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> version_encoded(const ServiceRoute& route, std::string_view value) {
  for (std::uint32_t i = 0; i < route.versions.size(); ++i) {
    if (decodes_to(value, route.versions[i].name)) return i;
  }
  return std::nullopt;
}

bool may_pin(const ServiceRoute& route, const http::Fields& fields) {
  if (!route.pin || route.cookie.empty()) return false;
  const http::Field* mode = fields.find("sec-fetch-mode");
  return mode != nullptr && mode->value == "navigate";
}

/// A unix peer is a process of this host that may open the socket: every list that is not empty includes it.
bool may_override(const ServicePolicy& service, const Address& peer) {
  if (peer.kind == Address::Kind::unix_path) return !service.route->override_from.empty();
  return service.override_from && service.override_from->contains(peer);
}

// Each source adds its step to the trace. With NoTrace nothing of that is left.

/// What a source that has a value found.
template <class Trace>
std::optional<std::uint32_t> found(Trace& trace, Source source, std::string_view name, std::string_view value,
                                   std::optional<std::uint32_t> version) {
  trace.add(source, version ? Outcome::named : value.empty() ? Outcome::absent : Outcome::unknown, name, value);
  return version;
}

template <class Trace>
std::nullopt_t skipped(Trace& trace, Source source, Outcome outcome, std::string_view name = {},
                       std::string_view value = {}) {
  trace.add(source, outcome, name, value);
  return std::nullopt;
}

template <class Trace>
std::optional<std::uint32_t> version_by_param(const ServiceRoute& route, std::optional<std::string_view> param,
                                              Trace& trace) {
  if (!param) return skipped(trace, Source::param, route.param.empty() ? Outcome::off : Outcome::absent, route.param);
  return found(trace, Source::param, route.param, *param, version_encoded(route, *param));
}

template <class Trace>
std::optional<std::uint32_t> version_by_header(const ServicePolicy& service, const http::Fields& fields,
                                               const Address& peer, Trace& trace) {
  const ServiceRoute& route = *service.route;
  if (route.header.empty()) return skipped(trace, Source::header, Outcome::off);
  const http::Field* field = fields.find(route.header);
  if (!field) return skipped(trace, Source::header, Outcome::absent, route.header);
  if (!may_override(service, peer))
    return skipped(trace, Source::header, Outcome::not_allowed, route.header, field->value);
  return found(trace, Source::header, route.header, field->value, version_named(route, field->value));
}

template <class Trace>
std::optional<std::uint32_t> version_by_cookie(const ServiceRoute& route, const http::Fields& fields, bool removed,
                                               Trace& trace) {
  if (route.cookie.empty()) return skipped(trace, Source::cookie, Outcome::off);
  if (removed) return skipped(trace, Source::cookie, Outcome::removed, route.cookie);
  const auto value = cookie_value(fields, route.cookie);
  if (!value) return skipped(trace, Source::cookie, Outcome::absent, route.cookie);
  return found(trace, Source::cookie, route.cookie, *value, version_named(route, *value));
}

/// The same hash as over the joined text, for texts of any length. Setting up the state costs several times the hash.
std::uint64_t streamed_hash(std::string_view salt, std::string_view identity) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, salt.data(), salt.size());
  XXH3_64bits_update(&state, "", 1);
  XXH3_64bits_update(&state, identity.data(), identity.size());
  return XXH3_64bits_digest(&state);
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The rightmost member of a comma-separated list; `rest` becomes what is before it.
std::string_view last_part(std::string_view& rest) {
  const std::size_t comma = rest.rfind(',');
  const std::string_view part = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
  rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
  return http::trimmed(part);
}

template <class Trace>
void trace_identity(const ServiceRoute& route, const Identity& identity, Trace& trace) {
  if constexpr (Trace::kOn) {
    if (route.identity.empty()) trace.add(Source::identity, Outcome::off);
    for (const IdentitySource& source : route.identity) {
      const bool its = &source == identity.source;
      const Outcome outcome = !its ? Outcome::absent : identity.issued ? Outcome::issued : Outcome::found;
      trace.add(Source::identity, outcome, source.text(), its ? identity.text : std::string_view());
      if (its) break;
    }
  }
}

template <class Trace>
void identify(const ServicePolicy& service, const http::Fields& fields, const Client& client, Choice& choice,
              Trace& trace) {
  const ServiceRoute& route = *service.route;
  IdentityScratch scratch;
  const Identity identity = find_identity(route, fields, client, service.issue_seed, scratch);
  trace_identity(route, identity, trace);
  if (identity.source == nullptr) return;
  choice.identity = identity.source;
  if (service.targeting.users != nullptr) choice.listed = service.targeting.users->contains(identity.text);
  choice.identity_hash = bucket_hash(route.salt, identity.text);
  if (route.affinity) choice.affinity = affinity_hash(identity.text);
  if (!identity.issued) return;
  choice.issues = true;
  std::copy(identity.text.begin(), identity.text.end(), choice.issued.begin());
}

template <class Trace>
void trace_bucket(const ServiceRoute& route, const Choice& choice, Trace& trace) {
  if constexpr (Trace::kOn) {
    const Outcome outcome = !route.canary                           ? Outcome::no_canary
                            : choice.identity == nullptr            ? Outcome::no_identity
                            : choice.decision == Decision::bucket   ? Outcome::inside
                            : choice.decision == Decision::fallback ? Outcome::canary_down
                                                                    : Outcome::outside;
    trace.add(Source::bucket, outcome);
  }
}

/// Whether the allowlist or a rule chooses: then `choice` has its decision. The client's networks are those of the
/// address that counts as the client's.
bool choose_target(const ServicePolicy& service, const http::Request& head, const Client& client, bool listed,
                   Choice& choice) {
  const Targeting& targeting = service.targeting;
  if (listed) {
    choice.listed = true;
    choice.version = targeting.listed_version;
    choice.decision = Decision::allowlist;
    return true;
  }
  if (targeting.rules == nullptr) return false;
  const auto rule = targeting.rules->find(head, client.address, targeting.versions);
  if (!rule) return false;
  choice.rule = *rule;
  choice.version = targeting.versions[targeting.rules->target_of(*rule)];
  choice.decision = Decision::rule;
  return true;
}

Outcome outcome_of_allowlist(const ServicePolicy& service, const Choice& choice) {
  if (choice.listed) return choice.decision == Decision::fallback ? Outcome::target_down : Outcome::listed;
  if (!choice.identified()) return Outcome::no_identity;
  return service.targeting.users == nullptr ? Outcome::no_target : Outcome::not_listed;
}

/// The conditions as text: all that hold, or the first one that does not.
std::string conditions_text(const std::vector<targeting::ConditionTrace>& conditions, bool& all) {
  std::string held;
  for (const targeting::ConditionTrace& one : conditions) {
    const std::string found = one.found ? ": " + *one.found : ": absent";
    all = one.holds;
    if (!all) return one.condition + found;
    held += (held.empty() ? "" : ", ") + one.condition + found;
  }
  return held;
}

/// The allowlist, and the rules up to the one that chose.
template <class Trace>
void trace_targets(const ServicePolicy& service, const http::Request& head, const Client& client, const Choice& choice,
                   Trace& trace) {
  if constexpr (Trace::kOn) {
    const ServiceRoute& route = *service.route;
    if (route.allowlist.count > 0)
      trace.add(Source::allowlist, outcome_of_allowlist(service, choice), {}, {}, route.allowlist.version);
    std::size_t others = 0;
    for (std::size_t i = 0; i < route.rules.size() && !choice.listed && i <= choice.rule; ++i) {
      const Rule& rule = route.rules[i];
      bool all = true;
      const std::string text = conditions_text(targeting::trace(rule, head, client.address), all);
      const Outcome chosen = choice.decision == Decision::fallback ? Outcome::target_down : Outcome::matches;
      const Outcome outcome = i == choice.rule ? chosen : all ? Outcome::no_target : Outcome::no_match;
      if (outcome != Outcome::no_match || i < kMostRuleSteps)
        trace.add(Source::rule, outcome, rule.name, text, rule.version);
      else
        ++others;
    }
    if (others > 0) trace.add(Source::rule, Outcome::no_match, {}, std::to_string(others) + " more rules");
  }
}

template <class Trace>
Choice choose(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
              Able able, Trace& trace) {
  const ServiceRoute& route = *service.route;
  Choice choice{.version = route.stable};
  identify(service, head.fields, client, choice, trace);
  const bool listed = std::exchange(choice.listed, false);  // it decides only if no version is named
  const auto take = [&choice](std::uint32_t version, Decision decision) {
    choice.version = version;
    choice.decision = decision;
    return choice;
  };
  const auto param = route.param.empty() ? std::nullopt : query_param(head.path, route.param);
  if (const auto version = version_by_param(route, param, trace)) {
    if (may_pin(route, head.fields)) choice.pin = Pin::set;
    return take(*version, Decision::param);
  }
  if (param && param->empty() && may_pin(route, head.fields)) choice.pin = Pin::expire;
  if (const auto version = version_by_header(service, head.fields, peer, trace))
    return take(*version, Decision::header);
  if (const auto version = version_by_cookie(route, head.fields, choice.pin == Pin::expire, trace))
    return take(*version, Decision::cookie);
  if ((listed || service.targeting.rules != nullptr) && choose_target(service, head, client, listed, choice)) {
    if (choice.version != route.stable && !able(choice.version)) take(route.stable, Decision::fallback);
    trace_targets(service, head, client, choice, trace);
    return choice;
  }
  trace_targets(service, head, client, choice, trace);
  const bool canary_up = route.canary && able(*route.canary);
  choice.decision =
      by_bucket(route.canary.has_value(), choice.identified(), choice.identity_hash, service.threshold, canary_up);
  if (choice.decision == Decision::bucket) choice.version = *route.canary;
  trace_bucket(route, choice, trace);
  return choice;
}

}  // namespace

Targeting::Targeting(const ServiceRoute& route, const targeting::Targets& targets) {
  constexpr std::uint32_t kNone = targeting::RuleIndex::kNoVersion;
  if (targets.rules != nullptr) {
    for (const std::string& target : targets.rules->targets()) versions.push_back(version_meant(route, target));
    if (std::ranges::any_of(versions, [](std::uint32_t version) { return version != kNone; }))
      rules = targets.rules.get();
  }
  if (targets.users == nullptr) return;
  listed_version = version_meant(route, route.allowlist.version);
  if (listed_version != kNone) users = targets.users.get();
}

std::uint32_t version_meant(const ServiceRoute& route, std::string_view target) {
  if (target == kStableRole) return route.stable;
  if (target == kCanaryRole) return route.canary.value_or(targeting::RuleIndex::kNoVersion);
  const auto version = version_named(route, target);
  const bool open = version && (*version == route.stable || route.versions[*version].targeted);
  return open ? *version : targeting::RuleIndex::kNoVersion;
}

ServicePolicy policy_of(const ServiceRoute& route, std::uint64_t issue_seed, const targeting::Targets& targets) {
  return {&route, Threshold::of_percent(route.weight), issue_seed,
          targets.override_from ? targets.override_from : std::make_shared<const NetworkSet>(route.override_from),
          Targeting(route, targets)};
}

Choice decide(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
              Able able) {
  NoTrace none;
  return choose(service, head, client, peer, able, none);
}

Choice explain(const ServicePolicy& service, const http::Request& head, const Client& client, const Address& peer,
               Able able, Trace& trace) {
  const Choice choice = choose(service, head, client, peer, able, trace);
  std::ranges::stable_sort(trace.steps, {}, &Step::source);
  return choice;
}

std::uint64_t bucket_hash(std::string_view salt, std::string_view identity) {
  char joined[kJoined];
  if (salt.size() + 1 + identity.size() > sizeof joined) return streamed_hash(salt, identity);
  char* end = std::copy(salt.begin(), salt.end(), joined);
  *end++ = '\0';
  end = std::copy(identity.begin(), identity.end(), end);
  return XXH3_64bits(joined, static_cast<std::size_t>(end - joined));
}

std::optional<std::string_view> query_param(std::string_view path_query, std::string_view name) {
  std::optional<std::string_view> found;
  targeting::for_each_parameter(path_query, [&](std::string_view encoded, std::string_view value) {
    if (decodes_to(encoded, name)) found = value;
    return !found;
  });
  return found;
}

bool decodes_to(std::string_view encoded, std::string_view plain) {
  std::size_t at = 0;
  for (const char wanted : plain) {
    if (at == encoded.size()) return false;
    char c = encoded[at++];
    if (c == '+') {
      c = ' ';
    } else if (c == '%' && encoded.size() - at >= 2) {
      const int high = hex_value(encoded[at]), low = hex_value(encoded[at + 1]);
      if (high >= 0 && low >= 0) {
        c = static_cast<char>(high * 16 + low);
        at += 2;
      }
    }
    if (c != wanted) return false;
  }
  return at == encoded.size();
}

namespace {

/// A member of X-Forwarded-For. Some proxies write the port of the client, too.
std::optional<Address> parse_hop(std::string_view member) {
  if (const auto ip = parse_ip(member)) return ip;
  const bool bracketed = member.starts_with('[');
  const std::size_t end = member.find(bracketed ? ']' : ':');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view port = member.substr(end + (bracketed ? 1 : 0));
  const bool valid = port.empty() || (port.front() == ':' && port.size() > 1 && port.size() <= 6 &&
                                      port.find_first_not_of("0123456789", 1) == std::string_view::npos);
  if (!valid) return std::nullopt;
  return bracketed ? parse_ip(member.substr(1, end - 1)) : parse_ip(member.substr(0, end));
}

}  // namespace

ForwardedClient client_address(const Address& peer, const http::Fields& fields, const NetworkSet& trusted) {
  Address client = peer;
  int hops = 0;
  for (std::size_t i = fields.count; i-- > 0;) {
    const http::Field& field = fields.items[i];
    if (field.id != http::Name::x_forwarded_for) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      if (!trusted.contains(client)) return {.address = client};
      if (++hops > kMaxHops) return {.address = client, .cut = true};
      const std::string_view member = last_part(rest);
      const auto hop = parse_hop(member);
      if (!hop) return {.address = client, .unreadable = member};
      client = *hop;
    }
  }
  return {.address = client};
}

}  // namespace gray::policy
