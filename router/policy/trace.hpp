#pragma once
// The steps of a decision as data, for explain() in decision.hpp: what each source of a version had, and what came of
// it. A decision on the data path records nothing.
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gray::policy {

/// In the order in which they are considered. The user is identified whatever decides, but their steps are shown where
/// the identity matters.
enum class Source : std::uint8_t { param, header, cookie, identity, allowlist, rule, bucket };

enum class Outcome : std::uint8_t {
  off,          // not configured
  absent,       // the request does not have it, or it is empty
  not_allowed,  // the peer is not in override_from
  unknown,      // names no version of the service
  removed,      // the cookie does not count for the navigation that removes it
  named,        // names the version that the request gets
  found,        // identifies the user
  issued,       // identifies the user from now on
  listed,       // the allowlist chooses the version
  not_listed,   // the user is not in the allowlist
  matches,      // the rule chooses the version
  no_match,     // a condition of the rule does not hold
  no_target,    // it would choose, but its version cannot be chosen now
  target_down,  // it chooses, but the version has no able worker
  no_canary,    // no version has users beside stable
  no_identity,  // nothing identifies the user
  outside,      // the hash of the user is not below the threshold
  inside,       // it is: the user gets the canary
  canary_down,  // it is, but the canary has no able worker
};

struct Step {
  Source source = Source::param;
  Outcome outcome = Outcome::off;
  std::string name;     // of the parameter, header or cookie; an identity source in the form of the configuration
  std::string value;    // as received; empty: absent. Of a rule: the condition that does not hold, or all of them
  std::string version;  // that the allowlist or the rule chooses: a role or a name
  bool operator==(const Step&) const = default;
};

/// Of the rules that do not match, only the first ones are steps; one more step counts the others.
inline constexpr std::size_t kMostRuleSteps = 20;

struct Trace {
  static constexpr bool kOn = true;
  std::vector<Step> steps;  // in the order of Source
  void add(Source source, Outcome outcome, std::string_view name = {}, std::string_view value = {},
           std::string_view version = {}) {
    steps.push_back({source, outcome, std::string(name), std::string(value), std::string(version)});
  }
};

/// What the data path uses instead.
struct NoTrace {
  static constexpr bool kOn = false;
  static void add(Source, Outcome, std::string_view = {}, std::string_view = {}) {}
};

}  // namespace gray::policy
