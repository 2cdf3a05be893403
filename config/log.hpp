#pragma once
// grayd's own log: one line per event on stderr, "TIME LEVEL text key=value ...". Never the access log. One write(2) a
// line, so lines of master and routers do not mix. Any thread.
#include <string_view>

namespace gray {

enum class LogLevel { info, warn, error };
void log(LogLevel level, std::string_view text);

}  // namespace gray
