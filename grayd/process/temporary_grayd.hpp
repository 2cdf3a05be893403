#pragma once
// A grayd that serves a file as long as this object lives: a child process of its own group, so that Ctrl-C reaches
// only this process. It ends by SIGTERM, and by SIGKILL after kStopTime, which makes its guard kill the workers. It
// also gets SIGTERM when this process dies. To be made on the main thread: the kernel ties that signal to the thread.
#include <sys/types.h>

#include <string>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"

namespace gray::master {

class TemporaryGrayd {
 public:
  static constexpr Duration kStopTime{8'000};

  /// `program`: the grayd to run. Its output is appended to `log`. `listener`: a socket that listens at an address of
  /// the file, passed as a service manager does; -1: none. Throws std::system_error if there is no process for it.
  TemporaryGrayd(const std::string& program, const std::string& file, const std::string& log, int listener = -1);
  ~TemporaryGrayd();
  TemporaryGrayd(const TemporaryGrayd&) = delete;
  TemporaryGrayd& operator=(const TemporaryGrayd&) = delete;

  bool ended_within(Duration time) const;

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

}  // namespace gray::master
