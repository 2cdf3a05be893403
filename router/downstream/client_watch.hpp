#pragma once
// How fast a client is: it is sampled eight times a second while the exchange waits for its body or for it to take its
// answer. Below min_rate it is too slow (policy/min_rate.hpp); its pace matters while other requests wait for a socket
// (policy/pace.hpp). Other clients are not sampled. Pure; the counts are passed in.
#include <cstddef>
#include <cstdint>
#include <optional>

#include "router/policy/min_rate.hpp"
#include "router/policy/pace.hpp"

namespace gray::proxy {

class ClientWatch {
 public:
  /// The time between two samples, for this window.
  static Duration interval(Duration window) { return window / 240; }

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

  struct Verdict {
    bool too_slow = false;              // slower than min_rate
    std::optional<std::uint64_t> pace;  // bytes per second; nothing: not known, or it is not waited for
  };

  /// A new request: there was no wait for its client yet.
  void reset() { state_ = State::none; }
  /// The exchange waits for the client to take its answer. True: it did not before, so the first sample is due now.
  bool begin();
  /// The exchange waits for the client's body, of which `moved` bytes have come.
  void begin_upload(TimePoint now, std::uint64_t moved);
  bool on() const { return state_ == State::on; }
  /// The worker was behind, so the time since the last sample does not count against the client.
  void excuse() { excused_ = true; }
  Verdict sample(const Sight& sight);
  /// After a sample: whether another one is needed.
  void sampled(bool waited_for) { state_ = waited_for ? State::on : State::once; }

 private:
  /// `once`: the exchange waited for it earlier in this request; `on`: it does now.
  enum class State : std::uint8_t { none, once, on };

  State state_ = State::none;
  bool excused_ = false;
  bool paced_ = false;  // pace_ has begun
  policy::MinRate rate_;
  policy::Pace pace_;
};

}  // namespace gray::proxy
