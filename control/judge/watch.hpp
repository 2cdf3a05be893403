#pragma once
// The judge at work on one service: it begins when a version gets users, follows changes of its weight, and ends when
// it has none. Main thread; reads the shared segment, and clears the marks of users in it.
#include <optional>
#include <string>

#include "config/shared/segment.hpp"
#include "control/judge/judge.hpp"
#include "control/judge/observer.hpp"

namespace gray::control {

class Watch {
 public:
  /// The versions of a service that have users now, and their rows in the segment.
  struct Split {
    std::string stable, canary;
    std::uint32_t stable_row = 0, canary_row = 0;
    double weight = 0;  // percent, of the canary
    Duration latency{0};
  };

  /// One look: about every kInterval while a version beside stable has users. Nothing: none has.
  void look(TimePoint now, const std::optional<Split>& split, segment::Layout& layout);
  /// Of the version that was looked at last; nothing: no version beside stable has users.
  std::optional<Verdict> verdict() const;
  const std::string& canary() const { return split_.canary; }  // empty: none
  /// All counts of both versions at the last look.
  const segment::Totals& canary_totals() const { return canary_.totals(); }
  const segment::Totals& stable_totals() const { return stable_.totals(); }

  static constexpr Duration kInterval{100};

 private:
  bool is_new(const Split& split) const;

  Split split_;
  std::optional<Judge> judge_;
  Observer stable_, canary_;
};

}  // namespace gray::control
