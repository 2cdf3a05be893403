#pragma once
// Whether a client that everybody waits for moves too little: its upload, or what it takes of its answer. Pure: sums
// and `now` in, a verdict out.
//
// Model: somebody looks at the connection from time to time and says how many bytes it has moved, and whether the
// client is the one who is waited for. Time counts if he was so at both ends of it; bytes always count. The average is
// taken over the window that has just ended, which slides by halves: nobody is judged before he has been waited for
// during a whole window, and who becomes slow is found after one and a half.
//
// So a slow worker, a stream of events or a long poll are never the client's fault: nothing of their time counts.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::policy {

inline constexpr Duration kRateWindow{30'000};

class MinRate {
 public:
  /// `moved`: bytes so far, of the same message as before. `waited_for`: the client is, at this moment. `rate`: bytes
  /// per second; 0 asks only that something is moved. True: he was below it during the whole `window`.
  bool too_slow(TimePoint now, std::uint64_t moved, bool waited_for, std::uint64_t rate, Duration window = kRateWindow);

 private:
  struct Half {
    std::uint64_t bytes = 0;
    Clock::duration waited{0};
  };
  Half before_, present_;
  std::uint64_t moved_ = 0;
  TimePoint looked_{};
  bool waited_for_ = false;  // at the look before
};

}  // namespace gray::policy
