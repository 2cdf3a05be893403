#pragma once
// The time of day, for display, and for what must outlast a reboot (how long a former stable version runs). No other
// decision depends on it, because it can jump.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gray {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

inline WallTime wall_now() {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

/// RFC 3339, UTC: "2026-11-23T17:04:45.123Z".
std::string rfc3339(WallTime time);
/// Reads only the form that rfc3339() writes.
std::optional<WallTime> wall_time_from(std::string_view text);

}  // namespace gray
