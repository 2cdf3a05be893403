#pragma once
// What changed between two answers to the verb `memory`. Pure.
#include <nlohmann/json.hpp>

namespace gray::control {

/// Adds to the later answer: "seconds"; "rss_change_bytes", "accounted_change_bytes" and "kernel_change_bytes"; and for
/// each owner and leak "count_change" and "bytes_change". An owner that only the earlier one has is added, empty.
void add_changes(nlohmann::json& later, const nlohmann::json& earlier, int seconds);

}  // namespace gray::control
