#pragma once
// grayd's own log: one line per event on stderr, "TIME LEVEL text key=value ...". Never the access log. One write(2) a
// line, and no line longer than a pipe takes whole, so lines of master and routers do not mix. Where whoever reads the
// log stands still, lines are lost and counted, and nobody waits. Any thread.
#include <chrono>
#include <string>
#include <string_view>

namespace gray {

enum class LogLevel { info, warn, error };
void log(LogLevel level, std::string_view text);

/// The line that log() writes at `wall` time (UTC), newline included. Control characters in `text` become spaces,
/// because what a client or a worker sent must not forge a line; longer than PIPE_BUF is cut with "...".
std::string log_line(LogLevel level, std::string_view text, std::chrono::system_clock::time_point wall);

}  // namespace gray
