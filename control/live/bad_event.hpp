#pragma once
#include <string_view>

namespace gray::control {

/// Whether events of this kind report that something has failed.
constexpr bool is_bad_event(std::string_view kind) {
  for (const std::string_view bad :
       {"worker-exited", "worker-unhealthy", "version-failed", "version-crashing", "version-rolled-back", "router-died",
        "reload-refused", "upgrade-failed", "access-log-failed", "events-lost"})
    if (kind == bad) return true;
  return false;
}

}  // namespace gray::control
