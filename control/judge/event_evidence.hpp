#pragma once
// Whether the canary has more events of a kind (failing users, slow answers) than its share. Pure.
//
// If both versions are equal, each of the events of a step belongs to the canary with the probability of its share of
// the exposure. With x of k events at the canary and the share w, the factor t^x / (t w + 1 - w)^k has the expected
// value 1 for a binomial x, and at most 1 for events that were drawn from the completed requests of the step without
// replacement (Hoeffding 1963, theorem 4). t is how many times as many events the canary has.
//
// A share that is too high makes the test less sensitive, never wrong. So the caller passes the highest plausible one.
#include <cstdint>

#include "config/base/time.hpp"
#include "control/judge/evidence.hpp"

namespace gray::control {

class EventEvidence {
 public:
  static constexpr std::array<double, 4> kTimes{2, 6, 20, 80};

  void begin(TimePoint now) { evidence_.begin(now); }
  /// `canary` and `stable`: events of this step; `share`: 0..1, of the exposure of this step.
  void add(TimePoint now, double share, std::uint64_t canary, std::uint64_t stable);
  /// Without a stable version that serves at the same time: `canary` events of `requests`, of which a good version has
  /// at most `ratio`.
  void add_alone(TimePoint now, double ratio, std::uint64_t canary, std::uint64_t requests);
  bool alarm(double risk) const { return evidence_.alarm(risk); }

 private:
  template <class Exponent>
  void multiply(TimePoint now, Exponent exponent);

  Evidence evidence_{kTimes.size()};
};

}  // namespace gray::control
