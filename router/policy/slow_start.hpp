#pragma once
// A worker that has just become able beside older ones is cold: its caches are empty, its code is not compiled yet. Its
// share of the requests grows from a tenth of the full one to the full one over ten seconds. Pure; `now` is passed in.
//
// It is said by whether it takes part in a choice, not by a factor on its load: a load of nobody times any factor is
// nobody, so a quiet service would send it nothing, or everything. Where it takes part it is chosen like any other; the
// caller takes it anyway when only it has room.
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
  /// It gets its full share from now on, because nobody older is left.
  void finish() { ramps_ = false; }

  bool warming(TimePoint now) const { return ramps_ && now < since_ + kLength; }
  bool older(TimePoint now) const { return now >= since_ + kLength; }
  TimePoint warm_at() const { return ramps_ ? since_ + kLength : since_; }
  /// Of its full share, kFirst to kWhole.
  std::uint32_t share(TimePoint now) const;

  /// While warming(), at each choice among `workers`: whether it takes part. It does so as often as its share says: a
  /// part of a turn is saved up at each choice, and once there is a whole one nothing is added until taken() spends it.
  bool takes_part(TimePoint now, std::size_t workers);
  void taken() { saved_ -= saved_ < kTurn ? saved_ : kTurn; }

  /// While warming(): whether a user whose worker this is meets it yet. `draw` is the user's own, evenly spread over
  /// all values: once he does, he does so to the end.
  bool takes_user(TimePoint now, std::uint32_t draw) const;

 private:
  static constexpr std::uint32_t kTurn = 1'000'000;

  TimePoint since_{};
  bool ramps_ = false;
  std::uint32_t saved_ = 0;
};

}  // namespace gray::policy
