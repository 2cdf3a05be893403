#pragma once
// Whether a client is too slow while the exchange waits for it: its upload, or its reading of the answer. Pure: byte
// counts and `now` in, a verdict out.
//
// Model: the caller samples the connection from time to time: the bytes moved so far, and whether the exchange waits
// for the client at that moment. The time between two samples counts if the client was waited for at both; bytes always
// count. The average is taken over the window that has just ended, which slides by halves: a client is judged only
// after a whole window of waiting, and one that becomes slow is found after one and a half windows.
//
// So a slow worker, a stream of events or a long poll is never the client's fault: their time does not count.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::policy {

inline constexpr Duration kRateWindow{30'000};

class MinRate {
 public:
  /// `moved`: bytes so far, of the same message as before. `waited_for`: the exchange waits for the client now. `rate`:
  /// bytes per second; 0 asks only for any progress. True: the client was below it during the whole `window`.
  bool too_slow(TimePoint now, std::uint64_t moved, bool waited_for, std::uint64_t rate, Duration window = kRateWindow);

 private:
  struct Half {
    std::uint64_t bytes = 0;
    Clock::duration waited{0};
  };
  Half before_, present_;
  std::uint64_t moved_ = 0;
  TimePoint looked_{};
  bool waited_for_ = false;  // at the previous sample
};

}  // namespace gray::policy
