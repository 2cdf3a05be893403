#pragma once
// A short-lived program whose output is collected. At the limit it is killed together with everything that it started
// in its process group. It stays in the master's session (in other sessions the supervisor would wait for it), has
// default signals, and has nothing open but /dev/null, the write ends of our output pipe, and itself as kProgramFd.
// Main thread.
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

/// How it ended.
struct BriefEnd {
  int status = 0;        // as in waitpid(2)
  bool overdue = false;  // it was killed at the limit
  std::string said;      // on stdout and stderr, at most kMostSaid bytes

  bool good() const { return status == 0 && !overdue; }
  /// "exit 1: its first line", "signal 9 (killed)", one line.
  std::string text() const;
};

class Subprocess {
 public:
  static constexpr int kProgramFd = 3;  // the interpreter of a script reads the script through it
  static constexpr std::size_t kMostSaid = 16 * 1024;

  /// Starts the open file `program` (O_PATH is enough). `done` is called once and may destroy the process. Throws
  /// std::system_error if the system has no free process or descriptor.
  Subprocess(asio::io_context& io, int program, std::vector<std::string> arguments, Duration limit,
             std::function<void(BriefEnd)> done);
  ~Subprocess();  // kills it
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

 private:
  void await_end();
  void read();
  void finish();

  pid_t pid_ = 0;
  BriefEnd end_;
  std::function<void(BriefEnd)> done_;
  asio::posix::stream_descriptor pidfd_;
  asio::posix::stream_descriptor output_;
  asio::steady_timer limit_;
  Lifetime lifetime_;
};

}  // namespace gray::master
