#pragma once
// What `status` says of a certificate.
#include <cstdint>
#include <string>
#include <vector>

#include "config/base/wall_time.hpp"

namespace gray {

/// Seconds since 1970, as certificates count.
inline std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

struct TlsView {
  std::string name;
  std::vector<std::string> hosts;
  std::int64_t not_after = 0;  // seconds since 1970; 0: none is in force
  WallTime loaded{};           // when it came in force
  std::string error;           // why newer files are not used; empty: nothing is wrong
};

}  // namespace gray
