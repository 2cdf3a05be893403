#pragma once
// Whether a queue is standing: no request gets through it quickly, so it is more than a burst. Pure.
//
// Model (CoDel, as services use it): the least delay at the head of the queue is taken over each interval. If even that
// was above the target, the queue was standing in that interval, and is called standing for the next one. A queue that
// empties now and then is no standing one, however long it becomes in between.
//
// The target is twice the mean time between two sockets that become free, and at least kLeastTarget: with a fixed one,
// slow workers would always be called overloaded. Source: CoDel (RFC 8289), and its use for the requests of a service
// in folly (Codel.cpp).
#include <cstddef>

#include "config/base/time.hpp"

namespace gray::upstream {

class Codel {
 public:
  static constexpr Micros kLeastTarget{5'000};
  static constexpr Micros kInterval{100'000};

  /// For `sockets` sockets that each serve a request in `mean_service`; 0: not known.
  static Micros target(Micros mean_service, std::size_t sockets);

  /// The request at the head has waited for `delay`, and a socket is free for it; or a request comes and nobody waits,
  /// then the delay is 0.
  void passed(Micros delay, TimePoint now, Micros target);
  bool standing() const { return standing_; }

 private:
  bool standing_ = false;
  bool begins_ = true;  // the next delay is the first of an interval
  Micros least_{0};     // in this interval
  TimePoint end_{};     // of this interval
};

}  // namespace gray::upstream
