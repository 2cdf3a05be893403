#pragma once
// The time of day, for people only: nothing is decided by it, because it jumps.
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
/// Only what rfc3339() writes.
std::optional<WallTime> wall_time_from(std::string_view text);

}  // namespace gray
