#pragma once
// Limits how many workers start at the same time, over all versions: a start is the most expensive phase of most
// programs, and workers that died together must not start together. Pure.
//
// A place is taken from the start until the worker answers a probe, is ready or dead, but at most for kBurst: a program
// that hangs must not keep a version with traffic down. Half of the processors may be used for starts, so that serving
// workers keep the others: there are so many places. While others than grayd use less than half of the processor time,
// the starts are mostly waiting for something else, or are cheap, and more may start: after each look twice as many as
// before it, because what the last ones need is not known before. Never more than kMost for each processor.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/time.hpp"
#include "supervisor/agenda.hpp"
#include "supervisor/kernel/cpu_time.hpp"

namespace gray::supervisor {

class StartPlaces {
 public:
  static constexpr Duration kBurst{1'000};
  static constexpr Duration kLook{50};    // between two looks at the processor time
  static constexpr Duration kStale{200};  // an older look says nothing about now
  static constexpr std::size_t kMost = 32;

  explicit StartPlaces(unsigned processors)
      : places_(std::max(1u, processors / 2)), most_(kMost * std::max(1u, processors)) {}

  /// The process with this generation has been starting since `since`. There may be more of them than places.
  void occupy(std::uint64_t generation, TimePoint since) {
    if (taken_.size() >= places_ && extra_ > 0) --extra_;
    ++started_;
    taken_.set(generation, since + kBurst);
  }
  void release(std::uint64_t generation) { taken_.set(generation, std::nullopt); }

  bool free(TimePoint now) {
    for (const std::uint64_t generation : taken_.due(now)) release(generation);
    return taken_.size() < places_ || (extra_ > 0 && taken_.size() < most_);
  }
  /// While workers wait for a place: whether to look at the processor time.
  bool look_due(TimePoint now) const { return !looked_ || now >= *looked_ + kLook; }
  /// The processor time since the start of the host; nothing: not known.
  void look(const std::optional<CpuTime>& time, TimePoint now) {
    const bool fresh = looked_ && time_ && time && now <= *looked_ + kStale;
    const bool passed = fresh && time->all > time_->all && time->busy >= time_->busy;
    const bool idle = passed && 2 * (time->busy - time_->busy) < time->all - time_->all;
    extra_ = idle ? std::max<std::size_t>(2 * started_, 1) : 0;
    started_ = 0;
    time_ = time;
    looked_ = now;
  }
  /// While workers wait for a place: when to ask again.
  std::optional<TimePoint> next() const {
    const auto end = taken_.next();
    return looked_ && (!end || *looked_ + kLook < *end) ? *looked_ + kLook : end;
  }

 private:
  std::size_t places_, most_;
  std::size_t extra_ = 0;    // more may start than there are places
  std::size_t started_ = 0;  // since the last look
  Agenda<std::uint64_t> taken_;
  std::optional<TimePoint> looked_;
  std::optional<CpuTime> time_;
};

}  // namespace gray::supervisor
