#pragma once
// Whether a client is too slow: it is sampled about once a second while the exchange waits for its body or for it to
// take its answer, and is too slow below min_rate. Other clients are not sampled. Pure; the counts are passed in.
#include <cstddef>
#include <cstdint>

#include "router/policy/min_rate.hpp"

namespace gray::proxy {

class ClientWatch {
 public:
  /// The time between two samples, for this window.
  static Duration interval(Duration window) { return window / 30; }

  /// A sample of a client.
  struct Sight {
    TimePoint now{};
    bool uploads = false;     // the exchange waits for its body
    std::uint64_t moved = 0;  // bytes of its request and of its answer so far
    std::size_t unsent = 0;   // of these, bytes that the kernel has not taken
    std::size_t untaken = 0;  // and bytes that the client has not acknowledged
    std::uint64_t min_rate = 0;
    Duration window = policy::kRateWindow;
  };

  /// A new request: there was no wait for its client yet.
  void reset() { state_ = State::none; }
  /// The exchange waits for the client from now on. True: it did not before, so the first sample is due now.
  bool begin();
  bool on() const { return state_ == State::on; }
  /// The worker was behind, so the time since the last sample does not count against the client.
  void excuse() { excused_ = true; }
  bool too_slow(const Sight& sight);
  /// After a sample: whether another one is needed.
  void sampled(bool waited_for) { state_ = waited_for ? State::on : State::once; }

 private:
  /// `once`: the exchange waited for it earlier in this request; `on`: it does now.
  enum class State : std::uint8_t { none, once, on };

  State state_ = State::none;
  bool excused_ = false;
  policy::MinRate rate_;
};

}  // namespace gray::proxy
