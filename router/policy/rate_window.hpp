#pragma once
// How many bytes a client moved while it was waited for, over a window that slides by halves. Pure: byte counts and
// `now` in.
//
// Model: the caller samples the connection from time to time: the bytes moved so far, and whether the exchange waits
// for the client at that moment. The time between two samples counts if the client was waited for at both; bytes always
// count. So a slow worker, a stream of events or a long poll is never the client's fault: their time does not count.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::policy {

class RateWindow {
 public:
  struct Span {
    std::uint64_t bytes = 0;
    Clock::duration waited{0};
  };

  RateWindow() = default;
  /// Bytes that moved before `now` do not count, and the client is waited for.
  RateWindow(TimePoint now, std::uint64_t moved) : moved_(moved), looked_(now), waited_for_(true) {}

  /// `moved`: bytes so far, of the same message as before. True: a half of the window has just ended.
  bool sample(TimePoint now, std::uint64_t moved, bool waited_for, Clock::duration half);
  /// The last two complete halves; no time: there are not two.
  Span whole() const;
  /// The last complete half and the current one.
  Span recent() const { return {last_.bytes + current_.bytes, last_.waited + current_.waited}; }

 private:
  Span older_, last_, current_;
  std::uint64_t moved_ = 0;
  TimePoint looked_{};
  bool waited_for_ = false;  // at the previous sample
};

}  // namespace gray::policy
