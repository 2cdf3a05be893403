#pragma once
// What the demo tells, and what it orders: from the difference between one look at grayd and the next. Pure.
//
// v1 is alone for a short time, then the rollout of v2 starts. The first rollout pauses at kStay, so that there is time
// to break v2: a version that has all users is stable, and nothing takes them away. Everything else is done by grayd,
// or by a person with grayctl; it is told all the same.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/time.hpp"
#include "grayd/demo/sample.hpp"
#include "grayd/demo/tally.hpp"

namespace gray::demo {

struct Telling {
  enum class Order { none, start, pause };
  std::vector<std::string> lines;
  Order order = Order::none;    // until a later look shows that it was carried out
  bool forgets_faults = false;  // those of the break that is over
};

class Story {
 public:
  /// `grayctl`: how a person calls it.
  explicit Story(std::string grayctl) : grayctl_(std::move(grayctl)) {}

  /// To be called several times a second.
  Telling look(const Sample& sample, const Tally& tally, TimePoint now);
  /// The figures of the last look, without the time; at most `width` columns.
  std::string live_line(std::size_t width) const;

 private:
  enum class Stay { not_yet, ordered, over };  // the pause

  void tell_break(Telling& telling);
  void tell_weight(Telling& telling) const;
  void tell_end(Telling& telling) const;
  void tell_abort(Telling& telling) const;
  void give_order(Telling& telling, TimePoint now);
  double requests_per_second() const;

  std::string grayctl_;
  std::optional<TimePoint> up_since_;
  Stay stay_ = Stay::not_yet;
  bool was_broken_ = false;  // ever
  Break last_break_;         // the present or the last one; empty: none since the last rollout
  Sample before_, now_;
  Tally tally_;
  std::deque<std::pair<TimePoint, std::uint64_t>> counts_;  // requests, of the last seconds
};

}  // namespace gray::demo
