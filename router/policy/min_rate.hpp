#pragma once
// Whether a client is slower than `min_rate` while the exchange waits for it: its upload, or its reading of the answer.
// The average is taken over the window that has just ended (rate_window.hpp): a client is judged only after a whole
// window of waiting, and one that becomes slow is found after one and a half windows. Pure.
#include <cstdint>

#include "router/policy/rate_window.hpp"

namespace gray::policy {

inline constexpr Duration kRateWindow{30'000};

class MinRate {
 public:
  /// `moved` and `waited_for`: see RateWindow. `rate`: bytes per second; 0 asks only for any progress. True: the client
  /// was below it during the whole `window`.
  bool too_slow(TimePoint now, std::uint64_t moved, bool waited_for, std::uint64_t rate, Duration window = kRateWindow);

 private:
  RateWindow window_;
};

}  // namespace gray::policy
