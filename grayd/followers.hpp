#pragma once
// Callers who wait for something to happen: each looks now, then at a steady pace, until there is an answer or his time
// is up. Main thread; looking must be quick.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <optional>

#include "config/base/time.hpp"
#include "control/daemon.hpp"
#include "grayd/lifetime.hpp"

namespace gray::master {

class Followers {
 public:
  static constexpr std::size_t kMost = 64;  // waiting at once; who comes then is answered at once
  static constexpr Duration kGlance{100};   // how often each looks

  /// What there is to say; nothing: wait on. `must_answer`: the time is up, say what there is.
  using Look = std::function<std::optional<control::Reply>(bool must_answer)>;
  using Done = std::function<void(control::Reply)>;

  explicit Followers(asio::io_context& io) : timer_(io) {}

  /// Calls `done` once, at the latest after `limit`.
  void wait(Duration limit, Look look, Done done);
  /// Answers everybody now.
  void release();
  /// The same, and whoever comes from now on is answered at once.
  void end();
  std::size_t count() const { return waiting_.size(); }

 private:
  struct Follower {
    Look look;
    Done done;
    TimePoint deadline;
  };
  void glance();
  void arm();

  asio::steady_timer timer_;
  std::list<Follower> waiting_;
  bool armed_ = false, ended_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
