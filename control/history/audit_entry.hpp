#pragma once
// One change, as the history keeps it: when, what, by whom, why, and what it did to the shares of the users.
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/base/wall_time.hpp"
#include "control/judge/verdict.hpp"

namespace gray::control {

/// Who gets which version of a service.
struct Split {
  std::string stable;
  std::map<std::string, double> weights;  // percent of users by version; only versions that have users
  double of(const std::string& version) const {
    const auto found = weights.find(version);
    return found == weights.end() ? 0 : found->second;
  }
  template <class Io>
  void archive(Io& io) {
    io("stable", stable);
    io("weights", weights);
  }
  bool operator==(const Split&) const = default;
};

struct AuditEntry {
  std::string service, version;        // empty: not about a specific one
  std::string what;                    // "shift", "rollout-abort": never changes, scripts match it
  std::string actor;                   // "pid 4711, uid 1000", or "grayd"
  std::string reason;                  // one line; empty: none was given
  WallTime time{};                     // when it came into force
  std::optional<Split> before, after;  // of the service
  std::uint64_t revision = 0;          // of the saved state that has it; 0: none, or it could not be saved
  std::optional<Verdict> verdict;      // what the judge said of the version then

  template <class Io>
  void archive(Io& io) {
    io("service", service);
    io("version", version);
    io("what", what);
    io("actor", actor);
    io("reason", reason);
    io("time", time);
    io("before", before);
    io("after", after);
    io("revision", revision);
    io("verdict", verdict);
  }
  bool operator==(const AuditEntry&) const = default;
};

}  // namespace gray::control
