#include "router/engine/allocation_faults.hpp"

#ifdef GRAY_ALLOCATION_FAULTS
#include <atomic>
#include <cstdlib>
#include <random>
#endif

namespace gray::engine {

#ifdef GRAY_ALLOCATION_FAULTS

namespace {

double from_environment() {
  const char* percent = std::getenv("GRAYD_FAIL_ALLOCATIONS");
  return percent == nullptr ? 0 : std::atof(percent);
}

std::atomic<double>& failing_percent() {
  static std::atomic<double> percent = from_environment();
  return percent;
}

}  // namespace

bool allocation_fails() {
  const double percent = failing_percent().load(std::memory_order_relaxed);
  if (percent <= 0) return false;
  thread_local std::minstd_rand random(std::random_device{}());
  return std::uniform_real_distribution(0.0, 100.0)(random) < percent;
}

void fail_allocations(double percent) { failing_percent() = percent; }

#else

bool allocation_fails() { return false; }
void fail_allocations(double) {}

#endif

}  // namespace gray::engine
