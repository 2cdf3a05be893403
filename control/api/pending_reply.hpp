#pragma once
// A call to the Daemon and its reply, which comes later and on another thread. Its descriptor can be polled together
// with others. A reply after this was destroyed is dropped.
#include <future>
#include <memory>
#include <string>

#include "config/base/time.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class PendingReply {
 public:
  /// Calls the Daemon. Throws std::system_error without a descriptor, and everything that Daemon::call throws.
  PendingReply(Daemon& daemon, const std::string& verb, nlohmann::json args);

  /// Readable from the moment when the reply is there.
  int fd() const;
  bool ready() const { return reply_.wait_for(Duration{0}) == std::future_status::ready; }
  /// Only if ready. Throws std::future_error if the Daemon dropped the call.
  const Reply& get() const { return reply_.get(); }
  /// Only if ready: the time of the reply; the epoch of the clock if the call was dropped.
  TimePoint came_at() const;

 private:
  struct State;
  class Answerer;
  std::shared_ptr<State> state_;
  std::shared_future<Reply> reply_;
};

}  // namespace gray::control
