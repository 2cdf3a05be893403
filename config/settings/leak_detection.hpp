#pragma once
// `[memory] leak_detection`: which buffers of the routers are watched, and how much is recorded of each.
#include <cstdint>
#include <optional>
#include <string_view>

namespace gray {

enum class LeakDetection : std::uint8_t {
  off,
  simple,    // 1 in 128, with the place that took it
  advanced,  // 1 in 128, with the call stack, and who held it
  paranoid,  // all, like `advanced`
};
constexpr LeakDetection last_value(LeakDetection) { return LeakDetection::paranoid; }

/// "off", "simple", "advanced", "paranoid".
const char* name_of(LeakDetection level);
std::optional<LeakDetection> leak_detection_from(std::string_view name);

}  // namespace gray
