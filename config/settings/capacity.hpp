#pragma once
// The largest number of versions and workers of one grayd. The settings are checked against these bounds; the shared
// segment (config/shared/segment.hpp) has a cell for each.
#include <cstdint>

namespace gray::segment {

inline constexpr std::uint32_t kVersions = 64;   // of all services together
inline constexpr std::uint32_t kWorkers = 1024;  // worker processes alive at once

}  // namespace gray::segment
