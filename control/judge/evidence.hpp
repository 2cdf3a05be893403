#pragma once
// Evidence against the hypothesis "canary and stable are equal", gathered step by step and looked at at any time. Pure.
//
// Model. Each step multiplies by a factor whose expected value is at most 1 if both versions are equal. So the product
// since the begin is an e-process: the probability that it ever reaches 1/a is at most a (Ville's inequality; Ramdas et
// al., "Game-theoretic statistics and safe anytime-valid inference", 2023). After hours of health the product is close
// to 0 and would notice a new fault late. So there is a second one: the sum of products that begin every kRestart
// (Shiryaev-Roberts; Shin, Ramdas, Rinaldo, "E-detectors", 2022). After n begins its expected value is at most n, so
// the probability that it reaches c while n begins are made is at most n/c.
//
// How large a difference would be is not known before: a number of alternatives is kept, and their mean has the same
// properties.
#include <array>
#include <cstddef>
#include <span>

#include "config/base/time.hpp"

namespace gray::control {

class Evidence {
 public:
  static constexpr std::size_t kMaxAlternatives = 8;
  static constexpr Duration kRestart{30'000};
  static constexpr double kBeginsPerDay = 24.0 * 60 * 60 * 1000 / kRestart.count();

  /// `alternatives`: 1..kMaxAlternatives.
  explicit Evidence(std::size_t alternatives) : alternatives_(alternatives) {}

  /// Forgets everything; the first product begins now.
  void begin(TimePoint now);
  /// One factor for each alternative, each positive. A step without any observation needs no call.
  void multiply(TimePoint now, std::span<const double> factors);

  /// Whether canary and stable differ. The probability of an alarm for equal versions is at most `risk` (0..1) in 24
  /// hours.
  bool alarm(double risk) const;

 private:
  double since_begin() const;  // the mean of the products
  double lately() const;       // the mean of the sums

  std::size_t alternatives_;
  std::array<double, kMaxAlternatives> products_{}, sums_{};
  TimePoint next_begin_{};
};

}  // namespace gray::control
