#pragma once
// A worker that has just become able beside older ones is cold: its caches are empty, its code is not compiled yet. Its
// share of the requests grows from a tenth of the full one to the full one over ten seconds. Pure; `now` is passed in.
//
// The share decides in how many choices the worker takes part; it is not a factor on its load: a load of zero times any
// factor is zero, so a quiet service would send the worker nothing, or everything. In a choice it competes like any
// other worker; the caller takes it anyway when no other one has room.
#include <cstddef>
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::policy {

class SlowStart {
 public:
  static constexpr Duration kLength{10'000};
  static constexpr std::uint32_t kWhole = 1'000;  // shares are counted in thousandths
  static constexpr std::uint32_t kFirst = kWhole / 10;

  /// It became able at `now`; `beside_older`: there is a worker that is able for kLength or longer.
  void begin(TimePoint now, bool beside_older);
  /// It gets its full share from now on, because no older worker is left.
  void finish() { ramps_ = false; }

  bool warming(TimePoint now) const { return ramps_ && now < since_ + kLength; }
  bool older(TimePoint now) const { return now >= since_ + kLength; }
  TimePoint warm_at() const { return ramps_ ? since_ + kLength : since_; }
  /// Its share, in thousandths of the full one: kFirst to kWhole.
  std::uint32_t share(TimePoint now) const;

  /// While warming(), at each choice among `workers`: whether it takes part, as often as its share says. Each choice
  /// adds a fraction of a turn; once there is a whole turn, nothing is added until taken() uses it.
  bool takes_part(TimePoint now, std::size_t workers);
  void taken() { saved_ -= saved_ < kTurn ? saved_ : kTurn; }

  /// While warming(): whether a user that prefers this worker is sent to it yet. `draw` is a property of the user,
  /// evenly distributed over all values: once sent here, the user stays here.
  bool takes_user(TimePoint now, std::uint32_t draw) const;

 private:
  static constexpr std::uint32_t kTurn = 1'000'000;

  TimePoint since_{};
  bool ramps_ = false;
  std::uint32_t saved_ = 0;
};

}  // namespace gray::policy
