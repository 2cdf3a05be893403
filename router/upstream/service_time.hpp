#pragma once
// The mean time that a socket is used for one request. Pure.
//
// Model: an exponentially weighted mean. A sample counts 1/N, where N is the number of samples in the last interval, at
// least kLeast: so the mean follows within an interval, however many requests there are. With a fixed N, one stall of a
// fast worker would be all that the mean remembers: 16 samples are 0.6 ms at 25,000 requests a second.
#include <cstdint>

#include "config/base/time.hpp"

namespace gray::upstream {

class ServiceTime {
 public:
  static constexpr std::uint32_t kLeast = 16;
  static constexpr Duration kInterval{100};

  void add(Micros sample, TimePoint now);
  /// 0: not known yet.
  Micros mean() const { return Micros{static_cast<Micros::rep>(mean_)}; }

 private:
  double mean_ = 0;  // microseconds; a part of one is not lost, however little a sample counts
  std::uint32_t weight_ = kLeast, count_ = 0;  // of the last interval, and in this one
  TimePoint end_{};                            // of this interval
};

}  // namespace gray::upstream
