#pragma once
// A program that is run to be asked something and ends soon: what it says is gathered, and at the limit it is killed
// with all that it started in its process group. It stays in the master's session (the supervisor waits for strangers),
// has default signals, and nothing open but /dev/null, our ends for its words, and itself as kProgramFd. Main thread.
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

/// What became of it.
struct BriefEnd {
  int status = 0;        // as in waitpid(2)
  bool overdue = false;  // it was killed at the limit
  std::string said;      // on both of its outputs, at most kMostSaid bytes

  bool good() const { return status == 0 && !overdue; }
  /// "exit 1: its first line", "signal 9 (killed)", one line.
  std::string text() const;
};

class Subprocess {
 public:
  static constexpr int kProgramFd = 3;  // a script is read through it by its interpreter
  static constexpr std::size_t kMostSaid = 16 * 1024;

  /// Starts the open file `program` (O_PATH will do). `done` is called once and may destroy the process. Throws
  /// std::system_error if the system has no room for it.
  Subprocess(asio::io_context& io, int program, std::vector<std::string> arguments, Duration limit,
             std::function<void(BriefEnd)> done);
  ~Subprocess();  // ends it
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
  UniqueFd words_;
  asio::posix::stream_descriptor heard_;
  asio::steady_timer limit_;
  Lifetime lifetime_;
};

}  // namespace gray::master
