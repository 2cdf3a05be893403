#pragma once
// grayd's own log: one line per event on stderr, "TIME LEVEL text key=value ...". Never the access log. One write(2)
// per line, and no line is longer than a pipe writes atomically, so lines of master and routers do not mix. If the
// reader of the log does not keep up, lines are lost and counted; writers never wait. Any thread.
#include <chrono>
#include <string>
#include <string_view>

namespace gray {

enum class LogLevel { info, warn, error };
void log(LogLevel level, std::string_view text);

/// The line that log() writes at `wall` time (UTC), newline included. Control characters in `text` become spaces,
/// because text from a client or worker must not forge a line; a line longer than PIPE_BUF is cut and ends in "...".
std::string log_line(LogLevel level, std::string_view text, std::chrono::system_clock::time_point wall);

}  // namespace gray
