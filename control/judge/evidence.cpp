#include "control/judge/evidence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gray::control {
namespace {

// Far above every threshold, and far enough from the limits of double that one more factor fits.
constexpr double kLargest = 1e100, kSmallest = 1e-100;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The second statistic needs much more evidence than the first, so it gets two thirds of the risk.
double threshold_since_begin(double risk) { return 3 / risk; }
double threshold_lately(double risk) { return 1.5 * Evidence::kBeginsPerDay / risk; }

}  // namespace

void Evidence::begin(TimePoint now) {
  products_.fill(1);
  sums_.fill(1);
  next_begin_ = now + kRestart;
}

/// The begins that are due are made before the step: a product that began earlier without a step since is 1.
void Evidence::multiply(TimePoint now, std::span<const double> factors) {
  double begins = 0;
  if (now >= next_begin_) {
    begins = 1 + std::floor(static_cast<double>((now - next_begin_) / std::chrono::milliseconds{1}) / kRestart.count());
    next_begin_ += kRestart * static_cast<Duration::rep>(begins);
  }
  for (std::size_t i = 0; i < alternatives_; ++i) {
    products_[i] = std::clamp(products_[i] * factors[i], kSmallest, kLargest);
    sums_[i] = std::clamp((sums_[i] + begins) * factors[i], kSmallest, kLargest);
  }
}

double Evidence::since_begin() const { return mean({products_.data(), alternatives_}); }
double Evidence::lately() const { return mean({sums_.data(), alternatives_}); }

bool Evidence::alarm(double risk) const {
  return since_begin() >= threshold_since_begin(risk) || lately() >= threshold_lately(risk);
}

}  // namespace gray::control
