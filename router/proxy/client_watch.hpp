#pragma once
// How quick a client is: it is looked at about once a second while it is waited for, for its body or to take its
// answer, and is too slow below min_rate. Nobody else is looked at. Pure; what there is to see is passed in.
#include <cstddef>
#include <cstdint>

#include "router/policy/min_rate.hpp"

namespace gray::proxy {

class ClientWatch {
 public:
  /// The time from one look to the next, of those over which a client is judged.
  static Duration interval(Duration window) { return window / 30; }

  /// What there is to see of a client at one moment.
  struct Sight {
    TimePoint now{};
    bool uploads = false;     // its body is waited for
    std::uint64_t moved = 0;  // bytes of its request and of its answer so far
    std::size_t unsent = 0;   // of these, what the kernel has not taken,
    std::size_t untaken = 0;  // and what the client has not
    std::uint64_t min_rate = 0;
    Duration window = policy::kRateWindow;
  };

  /// A new request: nobody has waited for its client.
  void reset() { state_ = State::none; }
  /// The client is waited for from now on. True: it was not before, so it is to be looked at now.
  bool begin();
  bool on() const { return state_ == State::on; }
  /// The worker was behind, so nobody waited for the body since the last look.
  void excuse() { excused_ = true; }
  bool too_slow(const Sight& sight);
  /// After a look: whether there is to be another one.
  void go_on(bool waited_for) { state_ = waited_for ? State::on : State::once; }

 private:
  /// It was waited for in this request; it is at present.
  enum class State : std::uint8_t { none, once, on };

  State state_ = State::none;
  bool excused_ = false;
  policy::MinRate rate_;
};

}  // namespace gray::proxy
