#pragma once
// A question to the Daemon and its reply, which comes later and on another thread. Its descriptor can be waited for
// beside others. A reply that comes after this was destroyed meets nobody.
#include <future>
#include <memory>
#include <string>

#include "config/base/time.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class PendingReply {
 public:
  /// Asks. Throws std::system_error without a descriptor, and what Daemon::call throws.
  PendingReply(Daemon& daemon, const std::string& verb, nlohmann::json args);

  /// Readable once the reply is there, and then for ever.
  int fd() const;
  bool ready() const { return reply_.wait_for(Duration{0}) == std::future_status::ready; }
  /// If ready. Throws std::future_error if the Daemon dropped the question.
  const Reply& get() const { return reply_.get(); }
  /// If ready: when it came; the epoch of the clock if the question was dropped.
  TimePoint came_at() const;

 private:
  struct State;
  class Answerer;
  std::shared_ptr<State> state_;
  std::shared_future<Reply> reply_;
};

}  // namespace gray::control
