#include "config/base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>

#include "config/base/printable.hpp"
#include "config/base/wall_time.hpp"

namespace gray {
namespace {

constexpr std::array<std::string_view, 3> kLevels{"info", "warn", "error"};
constexpr std::size_t kLongestLine = PIPE_BUF;  // a pipe never splits a write up to this size
constexpr std::string_view kCut = "...";

std::atomic<std::uint64_t> lost{0};  // lines since the last written one

/// A pipe is writable when it has room for PIPE_BUF bytes, a file always.
bool takes_a_line(int fd) {
  pollfd out{fd, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
}

void write_line(LogLevel level, std::string_view text) {
  const std::string line = log_line(level, text, std::chrono::system_clock::now());
  // If the log cannot be written, the error cannot be reported anywhere.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

std::string log_line(LogLevel level, std::string_view text, std::chrono::system_clock::time_point wall) {
  std::string line = rfc3339(std::chrono::time_point_cast<WallTime::duration>(wall)) + " " +
                     std::string(kLevels[static_cast<std::size_t>(level)]) + " ";
  std::string clean(text);
  make_printable(clean, ' ');
  line += clean;
  if (line.size() + 1 > kLongestLine) {
    line.resize(kLongestLine - 1 - kCut.size());
    line += kCut;
  }
  return line + "\n";
}

void log(LogLevel level, std::string_view text) {
  if (!takes_a_line(STDERR_FILENO)) {
    lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (const auto count = lost.exchange(0, std::memory_order_relaxed); count > 0) {
    write_line(LogLevel::warn, std::to_string(count) + " lines lost: the reader of this log did not keep up");
    if (!takes_a_line(STDERR_FILENO)) {
      lost.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  write_line(level, text);
}

}  // namespace gray
