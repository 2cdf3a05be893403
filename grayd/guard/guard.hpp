#pragma once
// The master's side of the guard process (guard_child.hpp): starts it, reports the workers' process groups to it, and
// replaces it if it dies. Between its death and its replacement nothing would kill what workers forked, so the
// replacement starts at once, unless guards die young repeatedly.
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <set>
#include <string>

#include "config/base/restored.hpp"
#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class Guard {
 public:
  explicit Guard(asio::io_context& io);
  /// Ends the process without a sweep: the master has stopped its workers itself.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// `cgroup`: the subtree of all workers; empty: none.
  void start(const std::string& cgroup);
  void add(pid_t group);
  void remove(pid_t group);
  pid_t pid() const { return pid_; }  // 0: none runs now

  /// The process lives on during an exec.
  template <class Io>
  void archive(Io& io);

 private:
  void spawn();
  void tell(pid_t number);
  void await_end();
  void on_end();
  void respawn_after(Duration delay);

  asio::io_context& io_;
  std::string cgroup_;
  std::set<pid_t> groups_;
  bool wanted_ = false;
  pid_t pid_ = 0;
  UniqueFd pipe_;  // non-blocking
  TimePoint started_{};
  asio::posix::stream_descriptor pidfd_;
  asio::steady_timer respawn_;
  Lifetime lifetime_;
};

}  // namespace gray::master
