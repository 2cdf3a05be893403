#pragma once
// How fast a client moves its request or its answer while the exchange waits for it, and what is fair. Unlike MinRate
// it answers within an eighth of a second, and its answer matters only while other requests wait for a socket. Pure.
//
// The first bytes do not count: a client's kernel takes hundreds of kilobytes of an answer before the client reads, and
// a sender may have filled its first window before it becomes slow. So the rate is that of the bytes which moved after
// the exchange began to wait.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "router/policy/rate_window.hpp"

namespace gray::policy {

inline constexpr std::uint64_t kFairRate = 32 * 1024;  // bytes per second; a slower client is slow
inline constexpr Duration kFairStart{500};  // the first kReplayBytes of a body come in this time at the fair rate
inline constexpr Duration kPaceWindow{2'000};
inline constexpr Duration kPaceLeast{100};  // of waiting, before a client is judged

class Pace {
 public:
  void begin(TimePoint now, std::uint64_t moved) { window_ = RateWindow(now, moved); }
  /// Bytes per second; nothing: not known yet, or the client is not waited for. `moved`, `waited_for`: see RateWindow.
  std::optional<std::uint64_t> rate(TimePoint now, std::uint64_t moved, bool waited_for);

 private:
  RateWindow window_;
};

}  // namespace gray::policy
